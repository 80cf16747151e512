import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeFrames } from './frames.ts';
import { readMapOf, type MapKind } from './map-picture.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, makeClip, makeFolder } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);

/** Eight frames, left half black; the right half's brightness is `light` of the frame's number N. */
async function makeHalves(name: string, light: string, size = '64x48') {
  const grey = `color=c=black:size=${size}:rate=12,format=yuv420p,geq=lum='if(lt(X,W/2),16,${light})':cb=128:cr=128`;
  const lossless = ['-frames:v', '8', '-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0'];
  return probeClip(await makeClip(inFolder(name), ['-f', 'lavfi', '-i', grey, ...lossless]));
}

/** Red in the middle of the left half and of the right half. */
async function redsOf(kind: MapKind, at: readonly [number, number], lights: readonly [string, string]) {
  const [original, edit] = [
    await makeHalves('original.mkv', lights[0], '96x72'),
    await makeHalves('edit.mkv', lights[1]),
  ];
  const jpeg = await readMapOf(kind, { clip: original, frameIndex: at[0] }, { clip: edit, frameIndex: at[1] }, 48);
  await writeFile(inFolder('map.jpg'), jpeg);
  await makeClip(inFolder('map.mkv'), ['-i', inFolder('map.jpg'), '-c:v', 'ffv1']);
  const [map] = await collect(decodeFrames(await probeClip(inFolder('map.mkv'))));
  if (map === undefined) throw new TypeError('no map');
  expect(map).toMatchObject({ width: 48, height: 36 });
  const red = (x: number): number => map.rgb[3 * (18 * map.width + x)] ?? NaN;
  return [red(12), red(36)] as const;
}

test('the difference is bright where the edit is unlike its frame of the original, and there alone', async () => {
  const [left, right] = await redsOf('difference', [3, 1], ['100', '60']);
  expect(left).toBeLessThan(8);
  // 40 of 219 steps of brightness, doubled.
  expect(Math.abs(right - (2 * 40 * 255) / 219)).toBeLessThan(8);
});

test('flicker is warm where the edit changes and the original does not', async () => {
  const [left, right] = await redsOf('flicker', [5, 3], ['100', '80+60*mod(N,2)']);
  expect(left).toBeLessThan(8);
  expect(right).toBeGreaterThan(200);
});

test('what the original changes too is no flicker, and a first frame has none', async () => {
  const both = ['80+60*mod(N,2)', '80+60*mod(N,2)'] as const;
  expect((await redsOf('flicker', [3, 3], both))[1]).toBeLessThan(70);
  expect((await redsOf('flicker', [0, 0], ['100', '80+60*mod(N,2)']))[1]).toBeLessThan(70);
});
