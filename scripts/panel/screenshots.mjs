// Takes the pictures of the panel that the documentation shows, into docs/images/: the web panel with a real edit by the
// embedded model, and the states that people meet, which need no server.
//
//   npm run screenshots
//   npm run screenshots -- states    the states only, which take seconds

import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchChromium } from '../../test/browser/chromium.ts';
import { cutSample, startDemoServer } from '../../test/browser/demo-server.ts';
import * as person from '../../test/browser/drive-panel.ts';
import { ensurePanel } from './ensure-build.mjs';
import { openGallery } from './gallery.mjs';

const out = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const wide = { width: 1400, height: 760 };
const frames = 8;

async function shoot(page, name, options = {}) {
  const file = path.join(out, `${name}.png`);
  // A moment for the transitions of buttons.
  await new Promise((resolve) => setTimeout(resolve, 400));
  await page.screenshot({ path: file, ...options });
  console.log(`docs/images/${name}.png, ${Math.round(statSync(file).size / 1024)} KB`);
}

/** From the pairing code to the comparison, with the embedded model. */
async function shootWebPanel(browser) {
  await ensurePanel();
  const server = await startDemoServer();
  try {
    const page = await browser.newPage({ viewport: wide, colorScheme: 'dark' });
    await page.goto(server.url);
    await page.getByPlaceholder('ABCD-2345').waitFor();
    await shoot(page, 'web-pairing');
    await person.pair(page, server.pairingCode);
    await person.dropClip(page, await cutSample(server.folder, 'ball-grass', frames), frames);
    await person.acceptPractice(page);
    await page.getByLabel('What is in the clip now?').fill('a red ball on grass');
    await person.describeEdit(page, 'a blue ball on grass', 16);
    await person.preview(page, 3, 300_000);
    await page.locator('.preview-strip-pictures').nth(1).click();
    await page.locator('.wipe img[src^="blob:"]:not(.stale)').nth(1).waitFor();
    // What was asked for is to be seen beside what came of it.
    await page.locator('.page-edit .fold').click();
    await page.locator('.rows-3').scrollIntoViewIfNeeded();
    await shoot(page, 'web-preview');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 320, height: 900 });
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await page.locator('.preview-strip').scrollIntoViewIfNeeded();
    await shoot(page, 'web-preview-320');
    await page.setViewportSize(wide);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('.apply').click();
    await page.locator('.task-left', { hasText: 'left' }).waitFor({ timeout: 120_000 });
    // The picture of the edit so far comes with its first steps.
    await page.locator('.task-picture[src]').waitFor({ timeout: 300_000 });
    await shoot(page, 'web-running');
    await page.locator('.task-step', { hasText: 'Done' }).waitFor({ timeout: 600_000 });
    await person.openWipe(page);
    await shoot(page, 'web-done');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await person.drawDivider(page, 0.46);
    await shoot(page, 'web-wipe');
    await page.locator('.transport .play').click();
    await page.locator('.frame.moves').waitFor({ timeout: 60_000 });
    await shoot(page, 'web-playing');
    await page.locator('.transport .play').click();
    for (const [mode, name] of [
      ['Side by side', 'side'],
      ['Difference', 'difference'],
      ['Flicker', 'flicker'],
    ]) {
      await page.getByRole('radio', { name: mode, exact: true }).click();
      // Out of the group of modes, whose keys they are as well.
      await page.locator('.compare .keys').click();
      await page.keyboard.press('ArrowRight');
      await page.locator('.stage-note.gone').waitFor({ state: 'attached', timeout: 60_000 });
      await shoot(page.locator('.stage'), `compare-${name}`);
    }
    await page.getByRole('radio', { name: 'Wipe', exact: true }).click();
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('button', { name: 'Versions' }).click();
    await shoot(page, 'web-versions-light');
    await page.setViewportSize({ width: 320, height: 720 });
    await page.getByRole('button', { name: 'Compare' }).first().click();
    await shoot(page, 'web-wipe-320');
    await page.close();
  } finally {
    await server.close();
  }
}

/** The states that people meet, at the least width that Premiere gives a panel, and the form at a usual one. */
async function shootStates(browser) {
  const narrow = await openGallery(browser, { width: 240, height: 400, isWeb: false });
  for (const [state, theme] of [
    ['unreachable', 'dark'],
    ['unpaired', 'light'],
    ['mismatch', 'dark'],
    ['no-model', 'dark'],
    ['too-long', 'light'],
    ['lost', 'dark'],
    ['edit', 'dark'],
    ['edit', 'light'],
    ['edit-advanced', 'dark'],
    ['loras', 'dark'],
    ['controls', 'dark'],
    ['preview', 'dark'],
    ['preview-outdated', 'light'],
    ['tasks', 'dark'],
    ['failures', 'light'],
    ['compare-wipe', 'dark'],
    ['compare-difference', 'light'],
    ['compare-playing', 'dark'],
    ['versions', 'dark'],
    ['recipe', 'light'],
  ]) {
    await shootState(narrow, state, theme, `panel-${state}-${theme}`);
  }
  await narrow.close();
  const usual = await openGallery(browser, { width: 320, height: 400, isWeb: false });
  for (const theme of ['dark', 'light']) {
    await shootState(usual, 'preview', theme, `panel-320-${theme}`);
  }
  await usual.setViewportSize({ width: 320, height: 1_220 });
  await shootState(usual, 'model-list', 'dark', 'panel-model-list-dark');
  await usual.setViewportSize({ width: 320, height: 560 });
  await shootState(usual, 'lora-list', 'light', 'panel-lora-list-light');
  await usual.setViewportSize({ width: 320, height: 640 });
  for (const [state, theme] of [
    ['model-get', 'dark'],
    ['licence', 'light'],
    ['practice', 'dark'],
    ['first-use', 'light'],
  ]) {
    await shootState(usual, state, theme, `panel-${state}-${theme}`);
  }
  await usual.close();
  const web = await openGallery(browser, { width: 1_100, height: 760, isWeb: true });
  await shootState(web, 'web-first-use', 'dark', 'web-first-use');
  await shootState(web, 'web-model-get', 'light', 'web-model-get');
  await web.close();
}

/** In Premiere the form scrolls within the panel: a picture of all of it needs a higher one. */
async function makeRoom(page) {
  const { width, height } = page.viewportSize();
  const hidden = await page.evaluate(() => {
    const pages = document.querySelector('.premiere .pages');
    return pages === null ? 0 : pages.scrollHeight - pages.clientHeight;
  });
  if (hidden > 0) await page.setViewportSize({ width, height: height + hidden });
}

async function shootState(page, state, theme, name) {
  await page.evaluate(([chosen, shade]) => window.gallery.show(chosen, shade), [state, theme]);
  const size = page.viewportSize();
  await makeRoom(page);
  await shoot(page, name, { fullPage: true });
  await page.setViewportSize(size);
}

mkdirSync(out, { recursive: true });
const browser = await launchChromium();
try {
  await shootStates(browser);
  if (process.argv[2] !== 'states') await shootWebPanel(browser);
} finally {
  await browser.close();
}
