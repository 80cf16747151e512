// Takes pictures of the panel in every state that people meet, in both hosts and themes and several sizes, with no server
// behind it: to look at after a change.
//
//   node scripts/panel/gallery.mjs OUT [STATE ...]

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name) => readFileSync(path.join(root, 'plugin', name), 'utf8');

/** A page with the gallery of states; `kind` decides which sheets it has. */
export async function openGallery(browser, { width, height, isWeb, scale = 1 }) {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, 'plugin/src/view/testing/gallery.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  });
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale });
  page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
  page.on('pageerror', (error) => console.error(error));
  const icon = readFileSync(path.join(root, 'plugin/icons/plugin.png')).toString('base64');
  const css = (read('panel.css') + (isWeb ? read('web.css') : '')).replace(
    'icons/plugin.png',
    `data:image/png;base64,${icon}`,
  );
  await page.setContent(`<!doctype html><style>${css}</style><body><div id="panel"></div></body>`);
  await page.addScriptTag({ content: outputFiles[0].text });
  return page;
}

/** The least width that Premiere gives a panel, its preferred size, a phone and a usual window. */
const sheets = [
  { label: 'premiere-240', width: 240, height: 800, isWeb: false },
  { label: 'premiere-320', width: 320, height: 720, isWeb: false },
  { label: 'web-320', width: 320, height: 720, isWeb: true },
  { label: 'web-1280', width: 1280, height: 800, isWeb: true },
];

async function main([out, ...wanted]) {
  mkdirSync(out, { recursive: true });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  });
  try {
    for (const { label, ...sheet } of sheets) {
      const page = await openGallery(browser, sheet);
      const host = sheet.isWeb ? 'browser' : 'premiere';
      const names = await page.evaluate(() => window.gallery.names);
      for (const name of names) {
        if ((name.startsWith('web') && !sheet.isWeb) || (wanted.length > 0 && !wanted.includes(name))) continue;
        for (const theme of ['dark', 'light']) {
          await page.evaluate(([n, t, h]) => window.gallery.show(n, t, h), [name, theme, host]);
          await page.screenshot({ path: path.join(out, `${label}-${name}-${theme}.png`) });
        }
      }
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
