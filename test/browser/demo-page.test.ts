// The page that the demo writes, opened as the file that it is: its clips stay in step, the wipe shows one on each side, and
// nothing is fetched.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCanvas } from '../../companion-server/src/demo/canvas.ts';
import { demoPage } from '../../companion-server/src/demo/demo-page.ts';
import type { DemoFindings } from '../../companion-server/src/demo/findings.ts';
import { edgeToEdge, writeFilm } from '../../companion-server/src/demo/side-by-side.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts';

const count = 12;
const size = { width: 64, height: 64 };
const waitMs = 30_000;

/** Frame t is as bright as t says, so that a picture tells which frame it is; every film has a channel of its own. */
const filmOf = (channel: number): readonly Rgb24Frame[] =>
  Array.from({ length: count }, (_, t) => {
    const colour = [0, 0, 0].with(channel, 40 + 16 * t) as [number, number, number];
    return { ...createCanvas(size, colour), index: t };
  });

function findingsOf(labels: readonly string[]): DemoFindings {
  const still = createCanvas(size, [9, 9, 9]);
  const metrics = { pairs: 11, warpError: 0.01, objectWarpError: 0.02, flicker: 0.03 };
  const films = labels.map((label, channel) => ({
    ...{ label, frames: filmOf(channel), metrics, slice: still, flicker: still },
    clip: {} as never,
    seconds: channel === 0 ? null : 12,
  }));
  const sample = { ...size, fps: 12, frames: count } as never;
  const second = { prompt: 'a <b>bold</b> car', frames: filmOf(0), seconds: 4.25 };
  return { caption: 'a red car', prompt: 'a "blue" car', comparison: { sample, row: 31, films }, second };
}

if (chromiumPath === undefined) console.warn(`The browser tests are skipped. ${howToGetChromium}`);

describe.skipIf(chromiumPath === undefined)('the page of the demo', () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];
  const fetched: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-demo-page-'));
    const findings = findingsOf(['original', 'TokenFlow', 'frame by frame']);
    const film = path.join(folder, 'film.mp4');
    const all = [...findings.comparison.films, { label: 'second', frames: filmOf(0) }];
    await writeFilm(film, edgeToEdge(all), { frameRate: { numerator: 12, denominator: 1 }, crf: 4 });
    const file = path.join(folder, 'index.html');
    await writeFile(file, demoPage({ findings, film: await readFile(film) }));
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (line) => line.type() === 'error' && faults.push(line.text()));
    page.on('request', (request) => fetched.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.waitForFunction(`document.getElementById('film').readyState >= 2`, undefined, { timeout: waitMs });
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  /** [red, green, blue] of the middle of a canvas, or of another place, 0..1 from the left. */
  const colourOf = (selector: string, x = 0.5): Promise<readonly number[]> =>
    page.evaluate(
      `(() => {
        const canvas = document.querySelector(${JSON.stringify(selector)});
        const { data } = canvas.getContext('2d').getImageData(Math.floor(${x} * canvas.width), 32, 1, 1);
        return [...data].slice(0, 3);
      })()`,
    );
  const filmAt = (index: number) => `canvas[data-film="${index}"]`;
  /** The frame that a colour tells, of the film of `channel`. */
  const frameIn = (colour: readonly number[], channel: number): number =>
    Math.round(((colour[channel] ?? 0) - 40) / 16);

  const goTo = async (frame: number): Promise<void> => {
    await page.locator('#position').fill(String(frame));
    await page.waitForFunction(`document.getElementById('frame').value === '${frame + 1} / ${count}'`, undefined, {
      timeout: waitMs,
    });
  };

  test('shows one frame of all clips at a time, whichever is asked for', async () => {
    for (const frame of [0, 7, 11, 3]) {
      await goTo(frame);
      const seen = [0, 1, 2].map(async (channel) => frameIn(await colourOf(filmAt(channel)), channel));
      expect(await Promise.all(seen)).toEqual([frame, frame, frame]);
      expect(frameIn(await colourOf(filmAt(3)), 0)).toBe(frame);
    }
  });

  test('keeps them in step while it plays', async () => {
    await goTo(0);
    await page.getByRole('button', { name: 'Play' }).click();
    const moments: readonly (readonly number[])[] = await page.evaluate(
      `new Promise((resolve) => {
        const moments = [];
        const look = () => {
          const frames = [0, 1, 2].map((i) => {
            const { data } = document.querySelectorAll('canvas[data-film]')[i].getContext('2d').getImageData(32, 32, 1, 1);
            return Math.round((data[i] - 40) / 16);
          });
          if (moments.length === 0 || frames[0] !== moments.at(-1)[0]) moments.push(frames);
          if (moments.length >= 6) resolve(moments);
          else requestAnimationFrame(look);
        };
        look();
      })`,
    );
    await page.getByRole('button', { name: 'Pause' }).click();
    for (const [first, ...others] of moments) expect(others).toEqual([first, first]);
    expect(new Set(moments.map(([frame]) => frame)).size).toBeGreaterThan(3);
  });

  test('wipes between two clips, which can be chosen, at a line that can be moved', async () => {
    await goTo(5);
    const sides = async () => [await colourOf('#wipe', 0.2), await colourOf('#wipe', 0.8)] as const;
    const channels = async () => (await sides()).map((colour) => colour.indexOf(Math.max(...colour)));
    expect(await channels()).toEqual([1, 2]);
    await page.locator('#divider').fill('1000');
    expect(await channels()).toEqual([1, 1]);
    await page.locator('#divider').fill('0');
    expect(await channels()).toEqual([2, 2]);
    await page.locator('#divider').fill('500');
    await page.getByLabel('Left of the line').selectOption('original');
    expect(await channels()).toEqual([0, 2]);
  });

  test('says what was asked for as it was written, tells the times, and fetches nothing', async () => {
    expect(await page.locator('h1').textContent()).toBe('“a red car” becomes “a "blue" car”');
    expect(await page.locator('main').textContent()).toContain('“a <b>bold</b> car” in 4.3 s');
    expect(await page.locator('tbody tr').allTextContents()).toEqual([
      'original1.0 %2.0 %3.0 %',
      'TokenFlow1.0 %2.0 %3.0 %12 s',
      'frame by frame1.0 %2.0 %3.0 %12 s',
    ]);
    expect(
      await page
        .locator('figure img')
        .evaluateAll((images) => images.map((image) => (image as never as { naturalWidth: number }).naturalWidth)),
    ).toEqual([64, 64, 64, 64, 64, 64]);
    expect(fetched.filter((url) => !/^(data|file):/.test(url))).toEqual([]);
    expect(faults).toEqual([]);
  });
});
