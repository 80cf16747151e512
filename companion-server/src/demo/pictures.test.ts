// What the demo draws, against pictures whose content is known.

import { describe, expect, test } from 'vitest';
import { makeFolder } from '../media/testing/clips.ts';
import { writeGif } from '../media/encode/encode-gif.ts';
import type { Rgb24Frame } from '../media/frame.ts';
import { decodeFrames } from '../media/decode/frames.ts';
import { probeClip } from '../media/probe/probe.ts';
import { zeroFlow } from '../metrics/flow.ts';
import { createCanvas, resizeNearest, resizeSmooth } from './canvas.ts';
import { flickerMap } from './flicker-map.ts';
import { drawText, lineHeight, textWidth } from './text.ts';
import { objectRow, timeSlice } from './time-slice.ts';

const pixel = ({ rgb, width }: Rgb24Frame, x: number, y: number): readonly number[] =>
  Array.from(rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3));

/** A dark frame of 8x6 with one bright column. */
function bar(index: number, x: number): Rgb24Frame {
  const frame = createCanvas({ width: 8, height: 6 }, [10, 10, 10]);
  for (let y = 0; y < 6; y++) frame.rgb.set([200, 200, 200], 3 * (y * 8 + x));
  return { ...frame, index };
}

describe('a row over time', () => {
  test('shows where a bar was in every frame', () => {
    const slice = timeSlice(
      [1, 2, 5].map((x, t) => bar(t, x)),
      3,
    );
    expect(slice).toMatchObject({ width: 8, height: 3 });
    const brightest = [0, 1, 2].map((t) => Array.from({ length: 8 }, (_, x) => pixel(slice, x, t)[0]).indexOf(200));
    expect(brightest).toEqual([1, 2, 5]);
  });

  test('goes through the middle of the object', () => {
    const mask = new Uint8Array(8 * 6);
    mask.fill(1, 2 * 8, 5 * 8);
    expect(objectRow([mask], { width: 8, height: 6 })).toBe(3);
    expect(objectRow([new Uint8Array(48)], { width: 8, height: 6 })).toBe(3);
  });
});

describe('a map of flicker', () => {
  const motion = { flow: zeroFlow({ width: 8, height: 6 }) };

  test('is black where nothing changes, bright where something does, and grey where the motion is not known', () => {
    const known = new Uint8Array(48).fill(1);
    known[0] = 0;
    const map = flickerMap(
      [bar(0, 2), bar(1, 2), bar(2, 4)],
      [motion, motion].map(({ flow }) => ({ flow: { ...flow, known } })),
    );
    expect(pixel(map, 6, 3)).toEqual([0, 0, 4]);
    expect(pixel(map, 2, 3)).toEqual([252, 255, 164]);
    expect(pixel(map, 4, 3)).toEqual([252, 255, 164]);
    expect(pixel(map, 0, 0)).toEqual([40, 40, 44]);
  });

  test('does not count what the clip itself moved', () => {
    const vectors = { dims: [2, 6, 8], data: new Float32Array(96).fill(1, 0, 48) };
    const known = Uint8Array.from({ length: 48 }, (_, i) => (i % 8 < 7 ? 1 : 0));
    const map = flickerMap([bar(0, 2), bar(1, 3)], [{ flow: { width: 8, height: 6, vectors, known } }]);
    for (const x of [1, 2, 3, 4]) expect(pixel(map, x, 2)).toEqual([0, 0, 4]);
  });
});

describe('text', () => {
  const ink = [255, 255, 255] as const;
  const inkOf = (text: string, left = 2): number => {
    const canvas = createCanvas({ width: 120, height: lineHeight('text') + 4 }, [0, 0, 0]);
    drawText(canvas, text, left, 2, { colour: ink });
    return canvas.rgb.reduce((sum, value) => sum + value, 0);
  };

  test('is as wide as it is said to be, with smooth edges', () => {
    const canvas = createCanvas({ width: 120, height: 30 }, [0, 0, 0]);
    drawText(canvas, 'TokenFlow', 0, 0, { colour: ink, face: 'strong' });
    const columns = Array.from({ length: 120 }, (_, x) =>
      Math.max(...Array.from({ length: 30 }, (_unused, y) => pixel(canvas, x, y)[0] ?? 0)),
    );
    const last = columns.findLastIndex((value) => value > 0);
    expect(last).toBeLessThan(textWidth('TokenFlow', 'strong'));
    expect(last).toBeGreaterThan(textWidth('TokenFlow', 'strong') - 5);
    expect(new Set(canvas.rgb).size).toBeGreaterThan(10);
  });

  test('writes more ink for more letters, a question mark for a sign that it does not have, and nothing beside the canvas', () => {
    expect(inkOf('')).toBe(0);
    expect(inkOf('mm')).toBe(2 * inkOf('m'));
    expect(inkOf('猫')).toBe(inkOf('?'));
    expect(inkOf('m', 200)).toBe(0);
    expect(inkOf('m', -200)).toBe(0);
  });
});

test('a picture keeps its colours at another size', () => {
  const frame = bar(0, 3);
  const nearest = resizeNearest(frame, { width: 16, height: 12 });
  expect([5, 6, 7, 8].map((x) => pixel(nearest, x, 4)[0])).toEqual([10, 200, 200, 10]);
  const smooth = resizeSmooth(frame, { width: 16, height: 12 });
  expect(pixel(smooth, 0, 4)).toEqual([10, 10, 10]);
  expect(pixel(smooth, 6, 4)[0]).toBeGreaterThan(pixel(smooth, 5, 4)[0] ?? 255);
  expect(resizeSmooth(frame, frame)).toEqual(frame);
});

test('an animation has all frames, in their order and at their pace', async () => {
  const folder = await makeFolder();
  try {
    const file = `${folder.path}/bar.gif`;
    const frames = [0, 2, 4, 6].map((x, t) => resizeNearest(bar(t, x), { width: 64, height: 48 }));
    await writeGif(file, frames, { numerator: 10, denominator: 1 });
    const clip = await probeClip(file);
    expect(clip).toMatchObject({ frameCount: 4, frameSize: { width: 64, height: 48 } });
    const seen: number[] = [];
    for await (const frame of decodeFrames(clip)) {
      seen.push(
        Array.from({ length: 8 }, (_, x) => pixel(frame, 8 * x + 4, 20)[0] ?? 0).findIndex((value) => value > 100),
      );
    }
    expect(seen).toEqual([0, 2, 4, 6]);
  } finally {
    await folder.remove();
  }
});
