// A change that was found in red, green and blue, made to a clip's own planes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { componentSpaceOf } from '../media/component-space.ts';
import { planeSizes, yuvFormat, type ChromaSampling, type PlanarFrame, type Plane } from '../media/planes.ts';
import type { RgbPlanes } from '../media/rgb-planes.ts';
import { applyChange } from './apply-change.ts';
import { fitChange } from './local-change.ts';

const rec709 = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' } as const;

function spaceOf(format: PlanarFrame['format'], range: 'tv' | 'pc' = 'tv') {
  const frameSize = { width: 1920, height: 1080 };
  return componentSpaceOf({ colour: { ...rec709, range }, frameSize, pixelFormat: format.name }, format);
}

/** A frame whose samples are `codeAt`(plane, column, row). */
function frameOf(
  format: PlanarFrame['format'],
  size: { readonly width: number; readonly height: number },
  codeAt: (plane: number, x: number, y: number) => number,
): PlanarFrame {
  const planes = planeSizes(format, size).map(({ width, height }, k): Plane => {
    const plane = format.bits > 8 ? new Uint16Array(width * height) : new Uint8Array(width * height);
    return plane.map((_, i) => codeAt(k, i % width, Math.floor(i / width)));
  });
  return { index: 3, ...size, format, planes };
}

function flat(width: number, height: number, colourAt: (x: number, y: number) => readonly number[]): RgbPlanes {
  const plane = (c: number) =>
    Float32Array.from({ length: width * height }, (_, i) => colourAt(i % width, Math.floor(i / width))[c] ?? 0);
  return { index: 3, width, height, planes: [plane(0), plane(1), plane(2)] };
}

const samplings: readonly ChromaSampling[] = ['420', '422', '444', '440', '411', '410'];

describe('a change made to the planes of a clip', () => {
  test('leaves every code where there is none, also codes that no colour has', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samplings),
        fc.constantFrom(8, 10, 12, 16),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer(),
        (sampling, bits, width, height, seed) => {
          const format = yuvFormat(sampling, bits);
          const most = 2 ** format.bits - 1;
          const noise = (k: number, x: number, y: number) =>
            Math.abs(Math.imul(seed + 7 * k + 31 * x, y + 977)) % (most + 1);
          const source = frameOf(format, { width, height }, noise);
          const small = flat(6, 5, (x, y) => [40 * x, 30 * y, 128]);
          const result = applyChange(source, fitChange(small, small), spaceOf(format));
          expect(result).toEqual(source);
          expect(result.planes[0]).not.toBe(source.planes[0]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each(samplings)('a grey that is lifted by ten of 255 is lifted by its share of the range: %s', (sampling) => {
    for (const [bits, range, lift] of [
      [8, 'tv', (219 * 10) / 255],
      [10, 'tv', (876 * 10) / 255],
      [12, 'pc', (4095 * 10) / 255],
    ] as const) {
      const format = yuvFormat(sampling, bits);
      const space = spaceOf(format, range);
      const grey = space.grey.map(Math.round);
      const source = frameOf(format, { width: 22, height: 13 }, (k) => grey[k] ?? 0);
      const change = fitChange(
        flat(6, 5, () => [128, 128, 128]),
        flat(6, 5, () => [138, 138, 138]),
      );
      const [luma = new Uint8Array(), cb = new Uint8Array(), cr = new Uint8Array()] = applyChange(
        source,
        change,
        space,
      ).planes;
      expect(new Set(luma)).toEqual(new Set([Math.round((grey[0] ?? 0) + lift)]));
      expect(new Set([...cb, ...cr])).toEqual(new Set([grey[1]]));
    }
  });

  test('a ramp into super-white and sub-black keeps its steps when it gets darker', () => {
    const format = yuvFormat('422', 10);
    const source = frameOf(format, { width: 1016, height: 4 }, (k, x) => (k === 0 ? 4 + x : 512));
    const small = (lift: number) => flat(127, 2, () => [128 + lift, 128 + lift, 128 + lift]);
    const darker = applyChange(source, fitChange(small(0), small(-10)), spaceOf(format));
    const drop = (876 * 10) / 255;
    const wanted = Array.from({ length: 1016 }, (_, x) => Math.max(0, Math.round(4 + x - drop)));
    expect(Array.from(darker.planes[0]?.subarray(0, 1016) ?? [])).toEqual(wanted);
  });

  test('a change of colour on one side leaves the other side as it is, luma and chroma', () => {
    const format = yuvFormat('420', 10);
    const source = frameOf(format, { width: 128, height: 64 }, (k, x, y) =>
      k === 0 ? 300 + ((5 * x + 3 * y) % 97) : 500 + (x % 7),
    );
    const small = flat(32, 16, (x, y) => [100 + ((5 * x) % 23), 110 + (y % 5), 120]);
    const edited = flat(32, 16, (x, y) => {
      const [r, g, b] = [100 + ((5 * x) % 23), 110 + (y % 5), 120];
      return x < 10 ? [r + 60, g - 20, b - 40] : [r, g, b];
    });
    const result = applyChange(source, fitChange(small, edited), spaceOf(format));
    for (const [k, plane] of result.planes.entries()) {
      const width = k === 0 ? 128 : 64;
      const untouched = (i: number) => (i % width) / width > 0.55;
      expect(plane.filter((_, i) => untouched(i))).toEqual(source.planes[k]?.filter((_, i) => untouched(i)));
      const isChanged = plane.some((code, i) => code !== source.planes[k]?.[i]);
      expect(isChanged).toBe(true);
    }
  });

  test('alpha is not changed', () => {
    const format = yuvFormat('444', 10, true);
    const source = frameOf(format, { width: 16, height: 8 }, (k, x) => (k === 3 ? 60 * x : 400));
    const change = fitChange(
      flat(4, 4, () => [128, 128, 128]),
      flat(4, 4, () => [30, 200, 90]),
    );
    const result = applyChange(source, change, spaceOf(format));
    expect(result.planes[3]).toEqual(source.planes[3]);
    expect(result.planes[0]).not.toEqual(source.planes[0]);
  });

  test.each(['444', '422', '420'] as const)(
    'what is wholly transparent keeps its samples, as premultiplied colour must: %s',
    (sampling) => {
      const format = yuvFormat(sampling, 10, true);
      // Premultiplied: black where alpha is 0, and a share of the colour on the edge.
      const source = frameOf(format, { width: 32, height: 8 }, (k, x) => {
        if (k === 3) return x < 15 ? 0 : x === 15 ? 300 : 1023;
        const isBlack = k === 0 ? x < 15 : x < 15 >> format.chromaShift.x;
        return k === 0 ? (isBlack ? 64 : 500) : isBlack ? 512 : 600;
      });
      const change = fitChange(
        flat(8, 4, () => [128, 128, 128]),
        flat(8, 4, () => [180, 100, 150]),
      );
      const result = applyChange(source, change, spaceOf(format));
      const sizes = planeSizes(format, source);
      for (const k of [0, 1, 2]) {
        const width = sizes[k]?.width ?? 0;
        // The chroma sample over columns 14 and 15 belongs to a visible one.
        const hidden = k === 0 ? 15 : width === 32 ? 15 : 7;
        result.planes[k]?.forEach((code, i) => {
          const own = source.planes[k]?.[i];
          if (i % width < hidden) expect(code).toBe(own);
          else expect(code).not.toBe(own);
        });
      }
    },
  );
});
