// Play of a 1080p pair in the panel, in Chromium: frames that are presented per second, and how far apart the two videos are;
// and play of pictures in the panel as it is built for Premiere, in the simulated one.
//
//   npm run bench:playback        (needs Chromium)

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dataDirOf } from '../../companion-server/src/app/config.ts';
import { writeServerFile } from '../../companion-server/src/cli/server-file.ts';
import { makeClip } from '../../companion-server/src/media/testing/clips.ts';
import { ensurePanel } from '../../scripts/panel/ensure-build.mjs';
import { launchChromium } from '../../test/browser/chromium.ts';
import { startFilmServer } from '../../test/browser/demo-server.ts';
import * as person from '../../test/browser/drive-panel.ts';
import { openPremiere, switchesFor } from '../../test/browser/premiere-window.ts';

const rate = 30;
const frames = 150;
const playedSeconds = 10;

/** What the page has measured; times in seconds. */
interface Played {
  /** Of each video: when a frame was presented, and its time within the video. */
  readonly presented: Readonly<Record<'edit' | 'original', readonly (readonly [number, number])[]>>;
  /** How far the original's clock was from the edit's, at each frame of the edit. */
  readonly apart: readonly number[];
}

/** A text, because it runs in the page, where other globals are known than here. */
const measure = `new Promise((resolve) => {
  const of = (name) => document.querySelector('.half-' + name + ' video');
  const [edit, original] = [of('edit'), of('original')];
  const presented = { edit: [], original: [] };
  const apart = [];
  let isOver = false;
  const watch = (name, video) => video.requestVideoFrameCallback((now, { mediaTime }) => {
    if (isOver) return;
    presented[name].push([now / 1000, mediaTime]);
    if (name === 'edit' && !edit.seeking && !original.seeking) apart.push(original.currentTime - edit.currentTime);
    watch(name, video);
  });
  watch('edit', edit);
  watch('original', original);
  setTimeout(() => { isOver = true; resolve({ presented, apart }); }, ${playedSeconds * 1000});
})`;

const countedSeconds = 6;

/** Counts the frames that the panel says it shows; a text as above. The panel lacks MutationObserver, as UXP does. */
const countFrames = `new Promise((resolve) => {
  const place = document.querySelector('.transport .time');
  const begun = Date.now();
  let before = place.textContent;
  let shown = 0;
  const look = () => {
    if (place.textContent !== before) shown += 1;
    before = place.textContent;
    if (Date.now() - begun < ${countedSeconds * 1000}) setTimeout(look, 4);
    else resolve(shown);
  };
  look();
})`;

await ensurePanel();
const server = await startFilmServer();
const browser = await launchChromium();
try {
  const moving = `testsrc2=size=1920x1080:rate=${rate}`;
  const args = [
    '-f',
    'lavfi',
    '-i',
    moving,
    '-frames:v',
    String(frames),
    '-pix_fmt',
    'yuv420p',
    '-preset',
    'ultrafast',
  ];
  const clip = await makeClip(join(server.folder, 'moving.mp4'), args);
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(server.url);
  await person.pair(page, server.pairingCode);
  await person.dropClip(page, clip, frames);
  await person.acceptPractice(page);
  await page.locator('.rows-3').fill('a blue ball on grass');
  const pressed = performance.now();
  await person.apply(page, 120_000);
  await page.locator('.half-edit video[src]').waitFor({ state: 'attached', timeout: 120_000 });
  console.log(`edit (a copy), result and its videos: ${((performance.now() - pressed) / 1000).toFixed(1)} s`);
  for (const mode of ['Wipe', 'Side by side']) {
    await page.getByRole('radio', { name: mode, exact: true }).click();
    const from = performance.now();
    await page.getByRole('button', { name: 'Play', exact: true }).last().click();
    await page.locator('.frame.moves').waitFor({ timeout: 60_000 });
    const startMs = performance.now() - from;
    const { presented, apart } = await page.evaluate<Played>(measure);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Pause', exact: true }).last().click();
    const row = (name: 'edit' | 'original') => {
      const times = presented[name].map(([at]) => at);
      const seconds = (times.at(-1) ?? 0) - (times[0] ?? 0);
      return `${name} ${((times.length - 1) / seconds).toFixed(1)} frames/s`;
    };
    const far = apart.map((seconds) => Math.abs(seconds) * rate).sort((a, b) => a - b);
    const at = (share: number): string => (far[Math.floor(share * (far.length - 1))] ?? 0).toFixed(2);
    console.log(
      `${mode}: first movement after ${Math.round(startMs)} ms; ${row('edit')}, ${row('original')} of ${rate}; ` +
        `apart, in frames: median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)} (${far.length} frames)`,
    );
  }
  for (const mode of ['Difference', 'Flicker']) {
    const from = performance.now();
    await page.getByRole('radio', { name: mode, exact: true }).click();
    await page.getByRole('button', { name: 'Play', exact: true }).last().click();
    await page.locator('.frame.moves').waitFor({ timeout: 120_000 });
    console.log(`${mode}: plays ${((performance.now() - from) / 1000).toFixed(1)} s after it was chosen`);
    await page.getByRole('button', { name: 'Pause', exact: true }).last().click();
  }
  await playInPremiere();
} finally {
  await browser.close();
  await server.close();
}

async function playInPremiere(): Promise<void> {
  const folder = join(server.folder, 'premiere');
  await mkdir(folder);
  const size = { width: 1280, height: 720 };
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25', '-frames:v', '90', '-pix_fmt', 'yuv420p'];
  const film = await makeClip(join(server.folder, 'film.mp4'), source);
  const clipAt = { startFrame: 100, frames: 75, inFrame: 5 };
  const own = await launchChromium(switchesFor(server.url));
  try {
    const dataDir = dataDirOf({}, 'darwin', join(folder, 'home'));
    await mkdir(dataDir, { recursive: true });
    await writeServerFile(dataDir, server);
    const premiere = await openPremiere(own, { folder, film, ...size, ...clipAt });
    const panel = await premiere.openPanel();
    await panel.locator('.clip-name').waitFor();
    await person.acceptPractice(panel);
    await panel.locator('.rows-3').fill('a blue ball on grass');
    await person.apply(panel, 300_000);
    await person.openWipe(panel);
    await panel.locator('.transport .play').click();
    const place = panel.locator('.transport .time');
    const first = (await place.textContent()) ?? '';
    // The video of which the pictures are taken may not be made yet.
    await place.filter({ hasNotText: first }).waitFor({ timeout: 120_000 });
    for (const round of ['first rounds', 'then']) {
      const shown = await panel.evaluate<number>(countFrames);
      console.log(
        `Premiere: pictures of a 720p clip of 25 frames/s, ${round}: ${(shown / countedSeconds).toFixed(1)} per second`,
      );
    }
  } finally {
    await own.close();
  }
}
