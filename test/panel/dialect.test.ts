// The check of what UXP cannot do finds what is planted, and lets the panel pass. Each plant is code that a person
// could write without thinking of UXP.

import { describe, expect, test } from 'vitest';
import { checkCss, checkHtml, checkScript, printComplaints } from '../../scripts/panel/dialect.mjs';

const found = (complaints: readonly { readonly what: string }[]): string[] => complaints.map(({ what }) => what);

describe('styles', () => {
  test.each([
    ['.a { display: grid }', 'display: grid'],
    ['.a { grid-template-columns: 1fr 1fr }', 'grid-template-columns'],
    ['.a { transition: opacity 1s }', 'transition'],
    ['.a { animation-name: spin }', 'animation-name'],
    ['.a { font: 12px sans-serif }', 'font'],
    ['.a { text-transform: uppercase }', 'text-transform'],
    ['.a { display: flex; gap: 4px }', 'gap'],
    ['.a { transform: scale(2) }', 'transform'],
    ['.a { box-shadow: 0 0 2px black }', 'box-shadow'],
    ['.a { position: sticky }', 'position: sticky'],
    ['.a { filter: blur(2px) }', 'filter'],
    ['@keyframes spin { from { left: 0 } }', '@keyframes'],
    ['@font-face { font-family: x }', '@font-face'],
    ['[data-state] { color: red }', '[data-state]'],
    ['[aria-pressed="true"] { color: red }', '[aria-pressed="true"]'],
    ['.a:has(.b) { color: red }', '.a:has(.b)'],
    ['input::placeholder { color: red }', 'input::placeholder'],
    ['@media (hover: none) { .a { color: red } }', '@media (hover)'],
    ['@media (min-width: 20px) { .a { display: grid } }', 'display: grid'],
  ])('%s', (css, what) => {
    expect(found(checkCss('panel.css', css))).toEqual([what]);
  });

  test('what UXP knows passes, and so do its own variables', () => {
    const css = `
      :root { --gap: 4px; --font: 12px serif; }
      .a:hover, .b > .c::before { display: inline-flex; margin: calc(var(--gap) * 2); opacity: 0.5; }
      @media (prefers-color-scheme: light) { .a { color: #000; line-height: 1.4 } }
      /* grid, transition: none of it */`;
    expect(checkCss('panel.css', css)).toEqual([]);
  });

  test('a complaint says where, why, and where the rule is from', () => {
    const [line] = printComplaints(checkCss('panel.css', '\n\n.a {\n  font: 1em serif;\n}'));
    expect(line).toMatch(/^panel\.css:4: font: The shorthand is not read.* \(docs, known-issues\)$/);
  });
});

describe('the page', () => {
  test.each([
    ['<input type="file">', '<input type=file>'],
    ['<input type="color">', '<input type=color>'],
    ['<div aria-live="polite">', '<div aria-live>'],
    ['<div hidden>', '<div hidden>'],
    ['<p tabindex="0">', '<p tabindex>'],
    ['<p onclick="go()">', '<p onclick>'],
    ['<script type="module" src="main.js"></script>', '<script>'],
    ['<script>go()</script>', '<script>'],
    ['<option>one</option>', '<option>'],
    ['<p style="display: grid">', 'display: grid'],
  ])('%s', (html, what) => {
    expect(found(checkHtml('index.html', html))).toEqual([what]);
  });

  test('a plain page passes', () => {
    const html = '<!-- <input type="file"> --><script defer src="main.js"></script><div id="a"></div>';
    expect(checkHtml('index.html', html)).toEqual([]);
  });
});

describe('the bundle', () => {
  test.each([
    ['new TextDecoder().decode(bytes()); function bytes() {}', 'TextDecoder'],
    ['const copy = structuredClone({});', 'structuredClone'],
    ['requestAnimationFrame(() => {});', 'requestAnimationFrame'],
    ['window.requestAnimationFrame(() => {});', 'requestAnimationFrame'],
    ['queueMicrotask(() => {});', 'queueMicrotask'],
    ['const start = performance.now();', 'performance'],
    ['const text = atob("");', 'atob'],
    ['crypto.subtle.digest("SHA-256", new Uint8Array());', 'subtle'],
    ['new MutationObserver(() => {});', 'MutationObserver'],
    ['alert("done");', 'alert'],
    ['eval("1");', 'eval'],
    ['const home = process.env;', 'process'],
    ['const bytes = Buffer.from("");', 'Buffer'],
    ['const path2 = require("path");', 'require("path")'],
    ['document.body.innerHTML = "<b>" + name() + "</b>"; function name() {}', 'innerHTML'],
    ['document.body.insertAdjacentHTML("beforeend", "");', 'insertAdjacentHTML'],
    ['document.write("");', 'write'],
    ['document.body.setAttribute("aria-pressed", "true");', 'aria-pressed'],
    ['document.body.setAttribute("hidden", "");', 'hidden'],
    ['document.body.hidden = true;', 'hidden'],
    ['document.body.tabIndex = 0;', 'tabIndex'],
    ['document.body.addEventListener("keypress", () => {});', 'keypress'],
    ['document.body.style.gridArea = "a";', 'grid-area'],
    ['document.body.style.setProperty("transition", "none");', 'transition'],
    ['document.body.getContext("2d").drawImage(null, 0, 0);', 'drawImage'],
  ])('%s', (code, what) => {
    expect(found(checkScript('main.js', code))).toEqual([what]);
  });

  test.each([
    ['a name of the program is not the global', 'function f(performance) { return performance.now(); }'],
    ['a property is not the global', 'const a = { process: 1 }; a.process = 2; a.Buffer;'],
    ['asking whether a global is there', 'const has = typeof structuredClone === "function";'],
    ['a file may be written', 'const file = { write() {} }; file.write("");'],
    ['UXP modules', 'const ppro = require("premierepro");'],
    ['text as text', 'document.body.textContent = "<b>"; document.body.className = "a";'],
    ['a label for those who hear the page', 'document.body.setAttribute("aria-label", "Play");'],
  ])('%s', (_name, code) => {
    expect(checkScript('main.js', code)).toEqual([]);
  });
});
