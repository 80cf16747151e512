// Every state of the panel as a web page, by the rules of WCAG 2.2 AA that a program can check (axe-core), and what no
// program of that kind looks at: one stop of Tab per group, the focus of dialogs, and what is said while an edit runs.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AxeResults } from 'axe-core';
import { openGallery } from '../../scripts/panel/gallery.mjs';
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts';

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const themes = ['dark', 'light'] as const;

if (chromiumPath === undefined) console.warn(`The browser tests are skipped. ${howToGetChromium}`);

describe.skipIf(chromiumPath === undefined)('a page of the panel', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    // High enough that Apply, which stays in view, covers nothing.
    page = await openGallery(browser, { width: 1200, height: 2_000, isWeb: true });
    await page.addScriptTag({ content: await readFile(axeFile, 'utf8') });
  });
  afterAll(() => browser.close());

  const show = (state: string, theme: string): Promise<unknown> =>
    page.evaluate(`gallery.show(${JSON.stringify(state)}, ${JSON.stringify(theme)}, 'browser')`);

  async function violations(): Promise<string[]> {
    const results: AxeResults = await page.evaluate(
      `axe.run('#panel', { runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations'] })`,
    );
    return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }

  test('has no fault that axe finds, in any state and both themes', async () => {
    const names: string[] = await page.evaluate('gallery.names');
    expect(names.length).toBeGreaterThan(5);
    const found: string[] = [];
    for (const name of names) {
      for (const theme of themes) {
        await show(name, theme);
        found.push(...(await violations()).map((fault) => `${name}, ${theme}: ${fault}`));
      }
    }
    expect(found).toEqual([]);
  });

  test('and the check finds what is planted', async () => {
    await show('edit', 'dark');
    await page.evaluate(`document.querySelector('.apply').textContent = ''`);
    expect((await violations()).join()).toContain('button-name');
  });

  test('has every group of buttons as one stop of Tab, and arrow keys within it', async () => {
    await show('edit-demo', 'dark');
    const stopsOfGroups: number[] = await page.evaluate(`
      [...document.querySelectorAll('[role=radiogroup], [role=toolbar]')]
        .map((group) => [...group.querySelectorAll('button')])
        .filter((buttons) => buttons.length > 0)
        .map((buttons) => buttons.filter((button) => button.tabIndex === 0).length)`);
    expect(stopsOfGroups.length).toBeGreaterThan(1);
    expect(new Set(stopsOfGroups)).toEqual(new Set([1]));
    const stops = page.locator('.stops button');
    await stops.first().focus();
    await page.keyboard.press('ArrowRight');
    expect(await stops.nth(1).getAttribute('aria-checked')).toBe('true');
    expect(await stops.nth(1).evaluate('document.activeElement?.textContent')).toBe('Keep');
    await page.keyboard.press('End');
    expect(await page.locator('.strength').getAttribute('aria-valuetext')).toBe('Loose, 90');
  });

  test('keeps the focus in a dialog, and gives it back', async () => {
    await show('edit-demo', 'dark');
    const help = page.getByRole('button', { name: 'Help' });
    await help.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'About' });
    await dialog.waitFor();
    for (let press = 0; press < 8; press += 1) {
      await page.keyboard.press('Tab');
      expect(
        await page.evaluate(`document.activeElement === document.body || !!document.activeElement.closest('.overlay')`),
      ).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await help.evaluate('document.activeElement?.textContent')).toBe('?');
  });

  test('has a tree in which every control has a name and says its state, and a dialog hides what it covers, in any state', async () => {
    const names: string[] = await page.evaluate('gallery.names');
    const found: string[] = [];
    let dialogs = 0;
    for (const name of names) {
      await show(name, 'dark');
      const nodes = await readTree(page);
      found.push(...faultsOf(nodes).map((fault) => `${name}: ${fault}`));
      dialogs += nodes.filter(({ role }) => role === 'dialog').length;
    }
    expect(found).toEqual([]);
    expect(dialogs).toBeGreaterThan(5);
  });

  test('and the walk finds what is planted', async () => {
    await show('tasks', 'dark');
    await page.evaluate(`
      document.querySelector('.apply').textContent = '';
      document.querySelector('.stops [aria-checked=true]').removeAttribute('aria-checked');
      document.querySelector('[role=progressbar]').removeAttribute('aria-label');`);
    expect(faultsOf(await readTree(page)).sort()).toEqual([
      'a button has no name',
      'a progressbar has no name',
      'one of Hold, Keep, Blend, Follow, Loose must be checked, and 0 are',
    ]);
  });

  test('shows no command that the background app advises, in any state of both hosts', async () => {
    const names: string[] = await page.evaluate('gallery.names');
    const found: string[] = [];
    let told = 0;
    for (const name of names) {
      for (const host of ['browser', 'premiere']) {
        const text = 'It is so. Type npm start -- --port 1 or tokenflow start, or set TOKENFLOW_DATA.';
        await page.evaluate(`gallery.show(${JSON.stringify([name, 'dark', host, text]).slice(1, -1)})`);
        const html: string = await page.evaluate(`document.querySelector('#panel').innerHTML`);
        if (html.includes('It is so.')) told += 1;
        if (/Type npm start/.test(html)) found.push(`${name}, ${host}`);
      }
    }
    expect(found).toEqual([]);
    expect(told).toBeGreaterThan(5);
  });

  test('has names that contain what can be read on the button, in any state', async () => {
    const names: string[] = await page.evaluate('gallery.names');
    const found: string[] = [];
    for (const name of names) {
      await show(name, 'dark');
      const wrong: string[] = await page.evaluate(`[...document.querySelectorAll('button[aria-label]')]
        .filter((button) => /[a-z]{2}/i.test(button.textContent) && !button.getAttribute('aria-label').includes(button.textContent))
        .map((button) => button.outerHTML)`);
      found.push(...wrong.map((button) => `${name}: ${button}`));
    }
    expect(found).toEqual([]);
    await show('edit', 'dark');
    await page.getByRole('button', { name: 'Preview', exact: true }).waitFor();
  });
});

interface TreeNode {
  readonly role: string;
  readonly name: string;
  readonly properties: ReadonlyMap<string, unknown>;
  /** The group of radio buttons that it is in; null for none. */
  readonly group: string | null;
}

/** What Chromium tells a screen reader of the page: nodes that are not ignored. */
async function readTree(page: Page): Promise<TreeNode[]> {
  const session = await page.context().newCDPSession(page);
  try {
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const byId = new Map(nodes.map((node) => [node.nodeId, node]));
    const groupOf = (id: string | undefined): string | null => {
      const node = byId.get(id ?? '');
      if (node === undefined) return null;
      return node.role?.value === 'radiogroup' ? node.nodeId : groupOf(node.parentId);
    };
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name, properties = [], parentId }) => ({
        role: String(role?.value ?? ''),
        name: String(name?.value ?? '').trim(),
        properties: new Map(properties.map((property) => [property.name, property.value.value as unknown])),
        group: groupOf(parentId),
      }));
  } finally {
    await session.detach();
  }
}

const named = [
  'button',
  'textbox',
  'searchbox',
  'slider',
  'combobox',
  'radio',
  'link',
  'progressbar',
  'dialog',
  'image',
];

function faultsOf(nodes: readonly TreeNode[]): string[] {
  const nameless = nodes.filter(({ role, name }) => named.includes(role) && name === '');
  const radios = nodes.filter(({ role }) => role === 'radio');
  const groups = [...new Set(radios.map(({ group }) => group))].map((of) => radios.filter(({ group }) => group === of));
  const undecided = groups.flatMap((group) => {
    const checked = group.filter(({ properties }) => properties.get('checked') === 'true').length;
    const texts = group.map(({ name }) => name).join(', ');
    return checked === 1 ? [] : [`one of ${texts} must be checked, and ${checked} are`];
  });
  const dialogs = nodes.filter(({ role }) => role === 'dialog');
  const isCovered = nodes.every(({ role }) => role !== 'main' && role !== 'navigation');
  return [
    ...nameless.map(({ role }) => `a ${role} has no name`),
    ...undecided,
    ...(dialogs.length > 1 ? ['there are two dialogs'] : []),
    ...dialogs.filter(({ properties }) => properties.get('modal') !== true).map(({ name }) => `${name} is not modal`),
    ...(dialogs.length > 0 && !isCovered ? ['what a dialog covers can still be reached'] : []),
  ];
}

describe.skipIf(chromiumPath === undefined)('the panel in Premiere', () => {
  test.each([
    [320, 720],
    [240, 320],
  ])('has Apply in view at %i x %i, whatever is above it', async (width, height) => {
    const browser = await launchChromium();
    try {
      const page = await openGallery(browser, { width, height, isWeb: false });
      for (const state of ['edit', 'edit-advanced', 'loras', 'controls', 'tasks', 'preview', 'toasts']) {
        await page.evaluate(`gallery.show(${JSON.stringify(state)}, 'dark')`);
        const box = await page.locator('.button.apply').boundingBox();
        expect((box?.y ?? Infinity) + (box?.height ?? 0), state).toBeLessThanOrEqual(height);
        // A text, because it runs in the page.
        const topmost: string = await page.evaluate(`(() => {
          const { left, top, width, height } = document.querySelector('.button.apply').getBoundingClientRect();
          return document.elementFromPoint(left + width / 2, top + height / 2).className;
        })()`);
        expect(topmost, state).toContain('apply');
      }
    } finally {
      await browser.close();
    }
  });
});
