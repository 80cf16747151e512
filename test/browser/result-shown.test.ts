// From Apply to play, in a browser, with an engine that edits in no time: the result opens by itself, plays as two videos, and
// is stepped through by exact pictures.

import type { Browser, BrowserContext, Page } from 'playwright-core';
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
      await page.evaluate(`
        window.heard = [];
        const region = document.querySelector('[role=status][aria-live=polite]');
        new MutationObserver(() => heard.push(region.textContent)).observe(region, { childList: true, subtree: true, characterData: true });`);
      await apply(page, editMs);
      // What is said to people who do not see the page: the end, and something before it.
      const heard = await page.evaluate<string[]>('heard');
      expect(heard.at(-1)).toContain('a blue ball on grass');
      expect(heard.at(-1)).toMatch(/done/i);
      expect(heard.length).toBeGreaterThan(1);

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

  /** A paired page that counts what it tells the system, and can be made to believe that another tab is looked at. */
  async function openPage(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await page.addInitScript(
      `window.isLookedAt = true;
       window.told = [];
       Object.defineProperty(document, 'visibilityState', { get: () => (window.isLookedAt ? 'visible' : 'hidden') });
       document.hasFocus = () => window.isLookedAt;
       window.Notification = class extends Notification {
         constructor(title, options) {
           super(title, options);
           window.told.push({ title, text: options.body });
           window.newest = this;
         }
       };`,
    );
    await page.goto(server.url);
    // A pairing code works once.
    await page.evaluate(`localStorage.setItem('tokenflow.secret.token', ${JSON.stringify(server.token)})`);
    await page.reload();
    await dropClip(page, clip, frames);
    await acceptPractice(page);
    return page;
  }

  async function editUnseen(page: Page, prompt: string): Promise<void> {
    await page.locator('.rows-3').fill(prompt);
    await page.evaluate('window.isLookedAt = false');
    await apply(page, editMs);
    await expect.poll(() => titleOf(page)).toBe('Done - TokenFlow');
  }

  const lookAt = (page: Page): Promise<unknown> =>
    page.evaluate(`window.isLookedAt = true; window.dispatchEvent(new Event('focus'))`);

  test(
    'is told by the title of a page that is not looked at, and by the system where the user allows it',
    async () => {
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      await context.grantPermissions(['notifications'], { origin: server.url });
      const page = await openPage(context);
      await editUnseen(page, 'a red ball on grass');
      expect(await page.evaluate('window.told')).toEqual([{ title: 'Your edit is done', text: 'a red ball on grass' }]);
      await lookAt(page);
      expect(await titleOf(page)).toBe('TokenFlow');
      // The user sees the end of this one: there is nothing to tell.
      await page.locator('.rows-3').fill('a yellow ball on grass');
      await page.locator('.apply').click();
      await expect.poll(() => page.locator('.finished .task').count(), { timeout: editMs }).toBe(2);
      expect(await page.evaluate('window.told.length')).toBe(1);
      await context.close();
    },
    3 * editMs,
  );

  test(
    'is told by the title alone where the user has refused notifications',
    async () => {
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      const page = await openPage(context);
      await editUnseen(page, 'a red ball on grass');
      expect(await page.evaluate('window.told')).toEqual([]);
      await context.close();
    },
    2 * editMs,
  );

  test('a page that is loaded again has its clip, the range in it and the words', async () => {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    const page = await openPage(context);
    await page.locator('.rows-3').fill('a red ball on grass');
    await page.locator('.player .time', { hasText: '/ 0:02' }).waitFor();
    await page.getByRole('slider', { name: 'Position in the clip' }).fill('500');
    await page.getByRole('button', { name: 'Set out' }).click();
    await page.getByText(`${frames / 2} frames ·`).waitFor();
    const range = await page.locator('.range-text').innerText();
    await page.reload();
    await page.getByText('TokenFlow still has this clip.').waitFor();
    await page.getByText(`${frames / 2} frames ·`).waitFor();
    expect(await page.locator('.range-text').innerText()).toBe(range);
    expect(await page.locator('.rows-3').inputValue()).toBe('a red ball on grass');
    await context.close();
  }, 60_000);

  test('a page whose server stops says so within three seconds and offers to start it, and is back when it runs again', async () => {
    const stopping = await startFilmServer();
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(stopping.url);
    await pair(page, stopping.pairingCode);
    await dropClip(page, clip, frames);
    await page.locator('.rows-3').fill('a blue ball on grass');
    await stopping.stop();
    await page.getByText('has stopped').waitFor({ timeout: 3_000 });
    // Nothing on this machine answers to the address.
    await page.evaluate(`HTMLAnchorElement.prototype.click = function () { window.asked = this.href; }`);
    await page.getByRole('button', { name: 'Start TokenFlow' }).click();
    expect(await page.evaluate('window.asked')).toBe('tokenflow://start');
    await page.getByRole('button', { name: 'Starting...' }).waitFor();
    await stopping.startAgain();
    await page.getByText('has stopped').waitFor({ state: 'hidden' });
    expect(await page.locator('.rows-3').inputValue()).toBe('a blue ball on grass');
    await page.close();
    await stopping.close();
  }, 60_000);
});
