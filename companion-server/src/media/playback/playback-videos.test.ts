import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { frameSides } from '../../../../protocol/messages/stream-messages.ts';
import { CanceledError } from '../../errors.ts';
import { decodeFrames } from '../decode/frames.ts';
import { differenceMap } from '../decode/pixel-maps.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, describeVideo, makeClip, makeFolder, testPicture } from '../testing/clips.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import { readJpegs, splitJpegs } from './read-jpegs.ts';
import { playbackSize, writePlayback } from './write-playback.ts';

const frames = 14;
const firstFrame = 5;
let folder: Awaited<ReturnType<typeof makeFolder>>;
let clip: ClipInfo;
let result: ClipInfo;
const fileOf = (side: string): string => path.join(folder.path, `${side}.mp4`);

beforeAll(async () => {
  folder = await makeFolder();
  const clipFile = path.join(folder.path, 'clip.mov');
  await makeClip(clipFile, [...testPicture('96x64', '24000/1001', 30), '-c:v', 'prores_ks']);
  clip = await probeClip(clipFile);
  // The edited range, darker.
  const from = ['-vf', `select='gte(n,${firstFrame})',setpts=N/FRAME_RATE/TB,lutrgb=r=val/2`];
  const cut = ['-i', clipFile, ...from, '-frames:v', String(frames), '-c:v', 'prores_ks'];
  result = await probeClip(await makeClip(path.join(folder.path, 'result.mov'), cut));
  expect(result.frameCount).toBe(frames);
  for (const side of frameSides) await writePlayback(fileOf(side), { side, clip, firstFrame, result });
});
afterAll(() => folder.remove());

/** Mean distance of two pictures, 0..255. */
function distance(a: Uint8Array, b: Uint8Array): number {
  expect(a).toHaveLength(b.length);
  return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length;
}

describe('the videos of a result', () => {
  test.each(frameSides)(
    '%s has as many frames as the result, at its rate, in H.264 that browsers play',
    async (side) => {
      const facts = await describeVideo(fileOf(side));
      expect(facts).toMatchObject({
        codec_name: 'h264',
        pix_fmt: 'yuv420p',
        has_b_frames: '0',
        nb_read_frames: String(frames),
        r_frame_rate: '24000/1001',
        color_space: 'bt709',
      });
    },
  );

  test('show the frames of the clip from the first one of the range on, and those of the result', async () => {
    const wanted = { startFrame: firstFrame, endFrame: firstFrame + frames };
    for (const [side, exact] of [
      ['original', await collect(decodeFrames(clip, wanted))],
      ['edit', await collect(decodeFrames(result))],
    ] as const) {
      const shown = await collect(decodeFrames(await probeClip(fileOf(side))));
      const distances = shown.map(({ rgb }, at) => distance(rgb, exact[at]?.rgb ?? new Uint8Array()));
      expect(Math.max(...distances), side).toBeLessThan(8);
      // The neighbour is farther away: no frame is off by one.
      const others = shown.slice(1).map(({ rgb }, at) => distance(rgb, exact[at]?.rgb ?? new Uint8Array()));
      expect(Math.min(...others), side).toBeGreaterThan(Math.max(...distances.slice(1)));
    }
  });

  test('of the difference show what the pictures of the difference show', async () => {
    const [originals, edits] = [await collect(decodeFrames(clip)), await collect(decodeFrames(result))];
    const shown = await collect(decodeFrames(await probeClip(fileOf('difference'))));
    const map = differenceMap(originals[firstFrame + 7]?.rgb ?? new Uint8Array(), edits[7]?.rgb ?? new Uint8Array());
    expect(distance(shown[7]?.rgb ?? new Uint8Array(), map)).toBeLessThan(8);
    expect(distance(map, new Uint8Array(map.length))).toBeGreaterThan(20);
  });

  test('have at most 720 lines and even sides', () => {
    expect(playbackSize({ width: 1920, height: 1080 })).toEqual({ width: 1280, height: 720 });
    expect(playbackSize({ width: 1080, height: 1920 })).toEqual({ width: 720, height: 1280 });
    expect(playbackSize({ width: 4096, height: 1716 })).toEqual({ width: 1280, height: 536 });
    expect(playbackSize({ width: 127, height: 65 })).toEqual({ width: 128, height: 66 });
    expect(playbackSize({ width: 1920, height: 1080 }, 'map')).toEqual({ width: 640, height: 360 });
    expect(playbackSize({ width: 1, height: 1 })).toEqual({ width: 2, height: 2 });
  });

  test('are not left behind in part when it is canceled', async () => {
    const stop = new AbortController();
    const file = path.join(folder.path, 'canceled.mp4');
    const written = writePlayback(file, { side: 'edit', clip, firstFrame, result }, stop.signal);
    stop.abort();
    await expect(written).rejects.toThrow(CanceledError);
    await expect(probeClip(file)).rejects.toMatchObject({ code: 'clip-missing' });
  });

  test('give their frames as JPEGs, each the one that was asked for, and fewer at the end', async () => {
    const { frameRate } = result;
    const jpegs = await readJpegs(fileOf('edit'), { frameRate, firstFrame: 9, frames: 64, maxSide: 48 });
    expect(jpegs).toHaveLength(frames - 9);
    const [one = new Uint8Array()] = await readJpegs(fileOf('edit'), {
      frameRate,
      firstFrame: 10,
      frames: 1,
      maxSide: 48,
    });
    expect(Buffer.compare(one, jpegs[1] ?? new Uint8Array())).toBe(0);
    expect(Buffer.compare(one, jpegs[0] ?? new Uint8Array())).not.toBe(0);
    for (const jpeg of jpegs) {
      expect([...jpeg.subarray(0, 2), ...jpeg.subarray(-2)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
      expect(sizeOf(jpeg)).toEqual({ width: 48, height: 32 });
    }
  });

  test('a stream without a picture has none', () => {
    expect(splitJpegs(new Uint8Array())).toEqual([]);
  });
});

/** From the frame header (ITU-T T.81, B.2.2), marker FF C0. */
function sizeOf(jpeg: Uint8Array): { width: number; height: number } {
  const bytes = Buffer.from(jpeg);
  const at = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
}
