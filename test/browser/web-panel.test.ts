// The web panel in a real browser, with the real companion and the embedded model: from the pairing code to the file that
// is downloaded.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { decodePlanes } from '../../companion-server/src/media/decode/frames.ts';
import type { PlanarFrame } from '../../companion-server/src/media/planes.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { ensurePanel } from '../../scripts/panel/ensure-build.mjs';
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts';
import { cutSample, startDemoServer, type DemoServer } from './demo-server.ts';
import { acceptPractice, apply, describeEdit, drawDivider, dropClip, openWipe, pair, preview } from './drive-panel.ts';

const frames = 5;
const editMs = 240_000;

if (chromiumPath === undefined) console.warn(`The browser tests are skipped. ${howToGetChromium}`);

describe.skipIf(chromiumPath === undefined)('the web panel', () => {
  let server: DemoServer;
  let browser: Browser;

  beforeAll(async () => {
    await ensurePanel();
    server = await startDemoServer();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test(
    'is opened by a link that pairs it, takes a dropped clip, previews and edits it, compares, and hands over as many frames as came in',
    async () => {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (line) => line.type() === 'error' && faults.push(line.text()));
      const link = server.openLink();
      await page.goto(link);
      await page.locator('.drop').waitFor();
      expect(page.url()).toBe(`${server.url}/`);

      await dropClip(page, await cutSample(server.folder, 'ball-grass', frames), frames);
      // A cut of a sample is no sample: the practice model says so in the place of Apply.
      expect(await page.locator('.practice').innerText()).toContain('is a practice model');
      expect(await page.locator('.apply').isVisible()).toBe(false);
      await acceptPractice(page);
      await describeEdit(page, 'a blue ball on grass', 2);
      await preview(page, 2, editMs);
      const cells = page.locator('.preview-strip-cell');
      expect(await cells.count()).toBeGreaterThan(1);
      expect(await cells.count()).toBeLessThanOrEqual(frames);
      await page.getByText('Apply goes on from the preview').waitFor();
      await page.locator('.preview-strip-time').first().focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      await page.getByText(`Reference frame 2 / ${await cells.count()}`).waitFor();
      await page.locator('.wipe img[src^="blob:"]:not(.stale)').nth(1).waitFor();
      const [previewed] = await results(server);
      await page.locator('.rows-3').fill('a red ball on grass');
      await page.getByText('Out of date').waitFor();
      await page.locator('.rows-3').fill('a blue ball on grass');
      await page.getByText('Out of date').waitFor({ state: 'hidden' });

      const growing = page.locator('.task.live .task-picture[src^="blob:"]').waitFor({ timeout: editMs });
      await apply(page, editMs);
      await growing;
      await page.locator('.preview-strip').waitFor({ state: 'hidden' });
      const made = await results(server);
      expect(made).toHaveLength(1);
      expect(made).not.toContain(previewed);

      await openWipe(page);
      await drawDivider(page, 0.25);
      const [whole, over] = await Promise.all([
        page.locator('.wipe').boundingBox(),
        page.locator('.wipe-over').boundingBox(),
      ]);
      expect((over?.width ?? 0) / (whole?.width ?? 1)).toBeCloseTo(0.25, 1);
      await page.locator('.compare .keys').click();
      await page.keyboard.press('ArrowRight');
      await page.getByText(`2 / ${frames}`).waitFor();
      await page.keyboard.press('\\');
      await page.locator('.flip-button', { hasText: 'Original' }).waitFor();

      await page.getByRole('button', { name: 'Versions' }).click();
      await page.getByText(/^TokenFlow keeps \d+ KB of results, \d+ KB of clips,/).waitFor();
      const downloading = page.waitForEvent('download');
      await page.locator('.version').getByRole('button', { name: 'Download' }).click();
      const file = join(server.folder, 'downloaded.mp4');
      await (await downloading).saveAs(file);
      const clip = await probeClip(file);
      expect(clip.frameCount).toBe(frames);
      expect(clip.frameRate).toEqual({ numerator: 12, denominator: 1 });
      expect(await page.locator('.version').count()).toBe(1);

      // The page has forgotten the file; the server has it still.
      await page.reload();
      await page.getByText('TokenFlow still has this clip.').waitFor();
      await page.getByText(`${frames} frames ·`).waitFor();
      expect(await page.locator('.rows-3').inputValue()).toBe('a blue ball on grass');
      expect(await page.locator('.apply').getAttribute('aria-disabled')).toBe('false');
      await page.getByRole('button', { name: 'Versions' }).click();
      const again = page.waitForEvent('download');
      await page.locator('.version').getByRole('button', { name: 'Download' }).click();
      const fetched = join(server.folder, 'fetched.mp4');
      await (await again).saveAs(fetched);
      expect(await readFile(fetched)).toEqual(await readFile(file));

      // A re-run finds it too, also after another clip was to be chosen.
      await page.getByRole('button', { name: 'Another file' }).click();
      await page.locator('.drop').waitFor();
      await page.locator('.rows-3').fill('');
      await page.locator('.version').getByRole('button', { name: 'Re-run' }).click();
      await page.getByText('TokenFlow still has this clip.').waitFor();
      await page.getByText('The next edit becomes a new version.').waitFor();
      expect(await page.locator('.rows-3').inputValue()).toBe('a blue ball on grass');
      expect(await page.locator('.apply').getAttribute('aria-disabled')).toBe('false');

      // The version that is looked at can be deleted, like any other.
      await page.getByRole('button', { name: 'Versions' }).click();
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.locator('.version').waitFor({ state: 'detached' });
      await vi.waitFor(async () => expect(await results(server)).toEqual([]));
      expect(faults).toEqual([]);
      await page.close();
    },
    2 * editMs + 60_000,
  );

  test(
    'changes only the region that was drawn on a still of the clip, with the pointer and by keys',
    async () => {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      await page.goto(server.openLink());
      await page.locator('.drop').waitFor();
      const clip = await cutSample(server.folder, 'ball-grass', 2);
      await dropClip(page, clip, 2);
      await acceptPractice(page);
      await page.getByRole('radio', { name: 'A region' }).click();
      const still = page.locator('.region-picture[src^="blob:"]:not(.stale)');
      await still.waitFor();
      await describeEdit(page, 'a blue ball on grass', 2);
      await page.getByText('Draw or name what may change').waitFor();
      await page.locator('.region-frame').scrollIntoViewIfNeeded();
      const box = await page.locator('.region-frame').boundingBox();
      if (box === null) throw new Error('There is no still.');
      await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.1);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * 0.9, { steps: 4 });
      await page.mouse.up();
      await page.locator('.region-run').first().waitFor();
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.locator('.region-run').first().waitFor({ state: 'detached' });
      // By keys, from the middle of the picture to its right edge: the left half stays.
      await page.getByRole('button', { name: 'Set a point' }).focus();
      for (let n = 0; n < 6; n++) await page.keyboard.press('Shift+ArrowUp');
      await page.keyboard.press('Enter');
      for (let n = 0; n < 11; n++) await page.keyboard.press('Shift+ArrowDown');
      for (let n = 0; n < 6; n++) await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('Enter');
      await page.locator('.region-run').first().waitFor();
      await page.getByRole('button', { name: 'Follows what it covers' }).click();
      await page.locator('select').filter({ hasText: 'FFV1' }).selectOption('ffv1');
      const before = new Set(await results(server));
      await apply(page, editMs);
      const [made] = (await results(server)).filter((file) => !before.has(file));
      if (made === undefined) throw new Error('There is no result.');
      const [source, result] = [await planesOf(clip), await planesOf(join(server.folder, 'data', 'jobs', made))];
      let [left, right] = [0, 0];
      for (const [n, { planes, width }] of source.entries()) {
        for (const [i, value] of (planes[0] ?? []).entries()) {
          if (result[n]?.planes[0]?.[i] === value) continue;
          if (i % width < width / 2) left++;
          else right++;
        }
      }
      expect(left).toBe(0);
      expect(right).toBeGreaterThan(100);
      await page.close();
    },
    editMs + 60_000,
  );

  test('says that a link was used, and takes the code instead', async () => {
    const link = server.openLink();
    const first = await browser.newContext();
    const opened = await first.newPage();
    await opened.goto(link);
    await opened.locator('.drop').waitFor();
    // A browser that knows nothing of the first, as somebody else's.
    const second = await browser.newContext();
    const page = await second.newPage();
    await page.goto(link);
    await page.getByText('was used already, or has expired').waitFor();
    await pair(page, server.pairingCode);
    // A reload finds the pairing of either.
    await opened.reload();
    await opened.locator('.drop').waitFor();
    await Promise.all([first.close(), second.close()]);
  });
});

async function planesOf(file: string): Promise<readonly PlanarFrame[]> {
  const frames: PlanarFrame[] = [];
  for await (const frame of decodePlanes(await probeClip(file))) frames.push(frame);
  return frames;
}

/** Results that lie on the server. */
async function results({ folder }: DemoServer): Promise<string[]> {
  const files = await readdir(join(folder, 'data', 'jobs'), { recursive: true });
  return files.filter((file) => /result\.\w+$/.test(file));
}
