// The panel as it is built for Premiere, in a real browser and a simulated Premiere, with the real companion and the embedded
// model over a real WebSocket: from the selection to the timeline, and back to where it began.

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { dataDirOf } from '../../companion-server/src/app/config.ts';
import { writeServerFile } from '../../companion-server/src/cli/server-file.ts';
import { decodePlanes } from '../../companion-server/src/media/decode/frames.ts';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import { rateOfTimebase } from '../../plugin/src/host/ticks.ts';
import { ensurePanel } from '../../scripts/panel/ensure-build.mjs';
import { createNodeMachine } from '../premiere-sim/node-machine.ts';
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts';
import { cutSample, startDemoServer, type DemoServer } from './demo-server.ts';
import { apply, describeEdit, openWipe, pair, preview } from './drive-panel.ts';
import { openPremiere, switchesFor, type PremiereWindow } from './premiere-window.ts';

const size = { width: 128, height: 128 };
const rate = rateOfTimebase('10594584000');
/** The clip on the timeline, of a film that has more before and after it. */
const place = { startFrame: 1_007, frames: 5, inFrame: 2 };
const filmFrames = 14;
const editMs = 240_000;

if (chromiumPath === undefined) console.warn(`The browser tests are skipped. ${howToGetChromium}`);

describe.skipIf(chromiumPath === undefined)('the panel in a simulated Premiere', () => {
  let server: DemoServer;
  let browser: Browser;
  let film: string;

  beforeAll(async () => {
    await ensurePanel();
    server = await startDemoServer();
    film = await cutSample(server.folder, 'ball-grass', filmFrames, `${rate.numerator}/${rate.denominator}`);
    browser = await launchChromium(switchesFor(server.url));
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  /** `hasFile`: whether the server runs as the user of this Premiere, with its usual data folder. */
  async function open(name: string, hasFile: boolean): Promise<Scene> {
    const folder = join(server.folder, name);
    const dataDir = dataDirOf({}, 'darwin', join(folder, 'home'));
    await mkdir(dataDir, { recursive: true });
    if (hasFile) await writeServerFile(dataDir, server);
    const premiere = await openPremiere(browser, { folder, film, ...size, ...place });
    onTestFinished(() => premiere.close());
    return { premiere, folder };
  }

  /** Results of the server, by the ids of their jobs. */
  async function results(): Promise<string[]> {
    const jobs = join(server.folder, 'data', 'jobs');
    const files = await readdir(jobs, { recursive: true });
    return files.filter((file) => /result\.\w+$/.test(file)).map((file) => join(jobs, file));
  }

  test(
    'selects, previews, exports, edits, imports, places, compares and reverts, and undo gives back the start',
    async () => {
      const { premiere, folder } = await open('whole-way', false);
      const start = await premiere.ask('describe');
      const original = await framesOf(film);
      const cut = original.slice(place.inFrame, place.inFrame + place.frames);
      expect(await shownFrames(premiere, folder)).toEqual(cut);

      const panel = await premiere.openPanel();
      expect(await panel.evaluate('typeof TextDecoder')).toBe('undefined');
      await pair(panel, server.pairingCode);
      await panel.getByText(`${place.frames} frames · 23.976 fps`).waitFor();
      await describeEdit(panel, 'a blue ball on grass', 2);
      await preview(panel, 2, editMs);
      expect(await premiere.ask('placed')).toEqual([]);
      await apply(panel, editMs);

      const [sent] = await readdir(join(server.folder, 'data', 'clips'));
      expect(await framesOf(join(server.folder, 'data', 'clips', sent ?? ''))).toEqual(cut);
      // The preview has left the server, and what was exported for it was not exported again.
      const [result = '', ...others] = await results();
      expect(others).toEqual([]);
      const exports = (await premiere.ask('undoNames')).filter((name) => name.startsWith('Prepare'));
      expect(exports).toHaveLength(1);
      const placed = await premiere.ask('placed');
      expect(placed).toMatchObject([{ trackIndex: 1, startFrame: place.startFrame, frames: place.frames }]);
      expect(await readFile(placed[0]?.path ?? '')).toEqual(await readFile(result));
      const edited = await framesAsShown(result, folder);
      expect(edited).toHaveLength(place.frames);
      expect(edited.filter((frame) => cut.includes(frame))).toEqual([]);
      expect(await shownFrames(premiere, folder)).toEqual(edited);
      expect((await premiere.ask('undoNames')).at(-1)).toBe('Place TokenFlow edit');

      await openWipe(panel);
      await panel.getByRole('button', { name: 'Hide on timeline' }).click();
      await panel.getByRole('button', { name: 'Show on timeline' }).waitFor();
      expect(await shownFrames(premiere, folder)).toEqual(cut);
      await panel.getByRole('button', { name: 'Show on timeline' }).click();
      await panel.getByRole('button', { name: 'Hide on timeline' }).waitFor();
      expect(await shownFrames(premiere, folder)).toEqual(edited);

      await panel.getByRole('button', { name: 'Versions' }).click();
      const dragged = await dragVersion(panel);
      expect(dragged).toMatchObject({ version: '1.0.0', items: [{ content_type: 'video/quicktime' }] });
      expect(fileURLToPath(dragged.items[0]?.uri ?? '')).toBe(placed[0]?.path);
      await panel.getByText('Revert', { exact: true }).click();
      await panel.getByText('Reverted. The original shows.').waitFor();
      expect(await premiere.ask('placed')).toEqual([]);
      expect(await shownFrames(premiere, folder)).toEqual(cut);
      expect((await premiere.ask('undoAll')).slice(0, 4)).toEqual([
        'Remove TokenFlow edit',
        'Show TokenFlow edit',
        'Hide TokenFlow edit',
        'Place TokenFlow edit',
      ]);
      expect(await premiere.ask('undoNames')).toEqual([]);
      expect(await premiere.ask('describe')).toBe(start);
      expect(await premiere.ask('violations')).toEqual([]);
      expect(premiere.faults).toEqual([]);
    },
    2 * editMs + 60_000,
  );

  test(
    'pairs by the file of its server; a panel that is closed while the server works finds its edit again, and places it',
    async () => {
      const { premiere, folder } = await open('closed-panel', true);
      const before = await results();
      const panel = await premiere.openPanel();
      await panel.locator('.clip-name').waitFor();
      await describeEdit(panel, 'a red ball in the snow', 2);
      await panel.locator('.apply').click();
      await panel.locator('.task-step', { hasText: /Analysing|Editing/ }).waitFor({ timeout: editMs });
      await panel.close();
      expect(await results()).toEqual(before);

      const again = await premiere.openPanel();
      await again.locator('.task-step', { hasText: 'Done' }).waitFor({ state: 'attached', timeout: editMs });
      const made = (await results()).filter((file) => !before.includes(file));
      expect(made).toHaveLength(1);
      expect(await premiere.ask('placed')).toMatchObject([
        { trackIndex: 1, startFrame: place.startFrame, frames: place.frames },
      ]);
      const edited = await framesAsShown(made[0] ?? '', folder);
      expect(edited).toHaveLength(place.frames);
      expect(await shownFrames(premiere, folder)).toEqual(edited);
      // It was neither sent nor placed twice.
      const steps = await premiere.ask('undoNames');
      expect(steps.filter((name) => /^(Prepare|Place) /.test(name))).toEqual([
        'Prepare TokenFlow export',
        'Place TokenFlow edit',
      ]);
      expect(await premiere.ask('violations')).toEqual([]);
      expect(premiere.faults).toEqual([]);
    },
    editMs + 60_000,
  );

  test(
    'draws a region on a still of the clip, and places the edit as a layer with alpha on the track above, in one step of undo',
    async () => {
      const { premiere } = await open('layer', true);
      const panel = await premiere.openPanel();
      await panel.locator('.clip-name').waitFor();
      await panel.getByText('A region', { exact: true }).click();
      await panel.getByRole('button', { name: 'Get a frame of the clip' }).click();
      await panel.locator('.region-picture[src^="blob:"]:not(.stale)').waitFor();
      const box = await panel.locator('.region-frame').boundingBox();
      if (box === null) throw new Error('There is no still.');
      await panel.mouse.move(box.x + 1, box.y + 1);
      await panel.mouse.down();
      await panel.mouse.move(box.x + box.width / 2, box.y + box.height - 1, { steps: 3 });
      await panel.mouse.up();
      await panel.locator('.region-run').first().waitFor();
      await panel.getByText('Follows what it covers').click();
      await panel.getByText('Layer with alpha').click();
      await describeEdit(panel, 'a blue ball on grass', 2);
      await apply(panel, editMs);
      const placed = await premiere.ask('placed');
      expect(placed).toMatchObject([{ trackIndex: 1, startFrame: place.startFrame, frames: place.frames }]);
      const layer = await probeClip(placed[0]?.path ?? '');
      for await (const { planes, format, width, height } of decodePlanes(layer)) {
        const alphaAt = (x: number) => planes[3]?.[Math.floor(height / 2) * width + x];
        expect(alphaAt(Math.floor(width / 4))).toBe(2 ** format.bits - 1);
        expect(alphaAt(Math.floor((3 * width) / 4))).toBe(0);
      }
      const steps = await premiere.ask('undoNames');
      expect(steps.filter((name) => name.startsWith('Place '))).toEqual(['Place TokenFlow edit']);
      expect(await premiere.ask('violations')).toEqual([]);
      expect(premiere.faults).toEqual([]);
    },
    editMs + 60_000,
  );
});

interface Scene {
  readonly premiere: PremiereWindow;
  readonly folder: string;
}

/** What Premiere gets when the newest version is dragged out of the panel. */
async function dragVersion(panel: Page): Promise<{ readonly items: readonly { readonly uri: string }[] }> {
  expect(await panel.locator('.version-grip').first().getAttribute('draggable')).toBe('true');
  // A text, because it runs in the page.
  const text = await panel.evaluate<string>(`(() => {
    const dataTransfer = new DataTransfer();
    const grip = document.querySelector('.version-grip');
    grip.dispatchEvent(new DragEvent('dragstart', { bubbles: true, dataTransfer }));
    return dataTransfer.getData('text/plain');
  })()`);
  return JSON.parse(text) as { items: { uri: string }[] };
}

/** What the timeline shows where the clip is. */
async function shownFrames(premiere: PremiereWindow, folder: string): Promise<string[]> {
  const file = join(folder, 'shown.mov');
  await premiere.ask('show', file);
  return framesOf(file);
}

/** A film's frames as the simulated Premiere would show them, were they alone on the timeline. */
async function framesAsShown(path: string, folder: string): Promise<string[]> {
  const file = join(folder, 'alone.mov');
  const piece = { path, startFrame: 0, frames: filmFrames, effect: 'none' } as const;
  await createNodeMachine(folder).render({ pieces: [piece], ...size, rate, path: file });
  return framesOf(file);
}

/** A sum of each frame's pixels. */
async function framesOf(file: string): Promise<string[]> {
  const args = [
    '-v',
    'error',
    '-i',
    file,
    '-map',
    '0:v',
    '-fps_mode',
    'passthrough',
    '-pix_fmt',
    'yuv420p',
    '-f',
    'framemd5',
    '-',
  ];
  const { stdout } = await promisify(execFile)(await findProgram('ffmpeg'), args);
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(',').at(-1)?.trim() ?? '');
}
