// From Apply to play, in a browser, with an engine that edits in no time: the result opens by itself, plays as two videos, and
// is stepped through by exact pictures.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { ensurePanel } from '../../scripts/panel/ensure-build.mjs';
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts';
import { startFilmServer, type DemoServer } from './demo-server.ts';
import { acceptPractice, apply, dropClip, openWipe, pair } from './drive-panel.ts';

const frames = 48;
const editMs = 120_000;

/** A text, because it runs in the page: settled when a frame is shown that comes before the one that was shown last. */
const untilItLoops = `new Promise((resolve) => {
  const place = document.querySelector('.transport .time');
  let before = 0;
  const look = () => {
    const frame = Number.parseInt(place.textContent, 10);
    if (frame < before) resolve();
    else requestAnimationFrame(look);
    before = frame;
  };
  look();
})`;

if (chromiumPath === undefined) console.warn(`The browser tests are skipped. ${howToGetChromium}`);

describe.skipIf(chromiumPath === undefined)('the result of an edit in a browser', () => {
  let server: DemoServer;
  let browser: Browser;
  let clip: string;

  beforeAll(async () => {
    await ensurePanel();
    server = await startFilmServer();
    clip = await makeClip(`${server.folder}/moving.mp4`, [
      ...testPicture('320x180', '24', frames),
      '-pix_fmt',
      'yuv420p',
    ]);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const titleOf = (page: Page): Promise<string> => page.title();

  test(
    'opens in Compare, plays, loops, zooms, and shows its changes as videos',
    async () => {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (line) => line.type() === 'error' && faults.push(line.text()));
      await page.goto(server.url);
      await pair(page, server.pairingCode);
      await dropClip(page, clip, frames);
      await acceptPractice(page);
      await page.locator('.rows-3').fill('a blue ball on grass');
      await apply(page, editMs);

      await openWipe(page);
      await page.locator('.finished .task').getByRole('button', { name: 'Download' }).waitFor();
      await page.locator('.finished .task img.task-picture').waitFor();
      expect(await titleOf(page)).toBe('TokenFlow');

      const play = page.locator('.transport .play');
      const place = page.locator('.transport .time');
      const moves = page.locator('.frame.moves');
      await play.click();
      await moves.waitFor({ timeout: editMs });
      // Around the end, and on.
      await page.evaluate(untilItLoops);
      await play.click();
      // The exact picture takes the video's place.
      await page.locator('.frame:not(.moves) .half-edit img:not(.stale)').waitFor();
      const stood = await place.textContent();
      await page.keyboard.press('Home');
      await page.locator('.compare').click({ position: { x: 2, y: 2 } });
      await page.keyboard.press('Home');
      await page.getByText(`1 / ${frames}`).waitFor();
      expect(stood).not.toBe('');

      await page.getByRole('button', { name: 'Larger' }).click();
      await page.getByText('150 %').waitFor();
      const [whole, frame] = await Promise.all(
        ['.half-edit .whole', '.stage > .frame'].map((one) => page.locator(one).boundingBox()),
      );
      expect((whole?.width ?? 0) / (frame?.width ?? 1)).toBeCloseTo(1.5, 1);
      await page.getByTitle('Show the whole picture').click();

      for (const mode of ['Difference', 'Flicker']) {
        await page.getByRole('radio', { name: mode, exact: true }).click();
        await play.click();
        await page.locator('.frame.is-map.moves').waitFor({ timeout: editMs });
        await play.click();
      }

      await page.getByRole('button', { name: 'Versions' }).click();
      await page.locator('.version img.thumbnail[src^="blob:"]').waitFor();
      expect(faults).toEqual([]);
      await page.close();
    },
    3 * editMs,
  );

  test(
    'is told by the title of a page that is not looked at',
    async () => {
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      const page = await context.newPage();
      // The page believes that another tab is looked at, until it gets the focus.
      await page.addInitScript(
        `window.isLookedAt = true;
         Object.defineProperty(document, 'visibilityState', { get: () => (window.isLookedAt ? 'visible' : 'hidden') });`,
      );
      await page.goto(server.url);
      // A pairing code works once.
      await page.evaluate(`localStorage.setItem('tokenflow.secret.token', ${JSON.stringify(server.token)})`);
      await page.reload();
      await dropClip(page, clip, frames);
      await acceptPractice(page);
      await page.locator('.rows-3').fill('a red ball on grass');
      await page.evaluate('window.isLookedAt = false');
      await apply(page, editMs);
      await expect.poll(() => titleOf(page)).toBe('Done - TokenFlow');
      await page.evaluate(`window.isLookedAt = true; window.dispatchEvent(new Event('focus'))`);
      expect(await titleOf(page)).toBe('TokenFlow');
      await context.close();
    },
    2 * editMs,
  );
});
