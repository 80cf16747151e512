// The web panel in a real browser, with the real companion and the embedded model: from the pairing code to the file that
// is downloaded.

import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeClip } from '../../companion-server/src/media/probe.ts';
import { ensurePanel } from '../../scripts/panel/ensure-build.mjs';
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts';
import { cutSample, startDemoServer, type DemoServer } from './demo-server.ts';
import { apply, describeEdit, drawDivider, dropClip, openWipe, pair } from './drive-panel.ts';

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
    'pairs, takes a dropped clip, edits it, compares, and hands over as many frames as came in',
    async () => {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (line) => line.type() === 'error' && faults.push(line.text()));
      await page.goto(server.url);
      await pair(page, server.pairingCode);

      await dropClip(page, await cutSample(server.folder, 'ball-grass', frames), frames);
      await describeEdit(page, 'a blue ball on grass', 2);
      await apply(page, editMs);

      await openWipe(page);
      await drawDivider(page, 0.25);
      const [whole, over] = await Promise.all([
        page.locator('.wipe').boundingBox(),
        page.locator('.wipe-over').boundingBox(),
      ]);
      expect((over?.width ?? 0) / (whole?.width ?? 1)).toBeCloseTo(0.25, 1);
      await page.locator('.compare').click({ position: { x: 2, y: 2 } });
      await page.keyboard.press('ArrowRight');
      await page.getByText(`2 / ${frames}`).waitFor();
      await page.keyboard.press('\\');
      await page.locator('.flip-button', { hasText: 'Original' }).waitFor();

      await page.getByRole('button', { name: 'Versions' }).click();
      const downloading = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download' }).click();
      const file = join(server.folder, 'downloaded.mp4');
      await (await downloading).saveAs(file);
      const clip = await probeClip(file);
      expect(clip.frameCount).toBe(frames);
      expect(clip.frameRate).toEqual({ numerator: 12, denominator: 1 });
      expect(faults).toEqual([]);
      await page.close();
    },
    editMs + 60_000,
  );
});
