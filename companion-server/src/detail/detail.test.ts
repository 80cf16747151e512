import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Rgb24Frame, Size } from '../media/frame.ts';
import { gbrSpace } from '../media/component-space.ts';
import { fromGbr, planesOfFrame, toGbr } from '../media/rgb-planes.ts';
import { applyChange } from './apply-change.ts';
import { boxMean } from './box-mean.ts';
import { fitChange, type LocalChange } from './local-change.ts';

type Colour = readonly [number, number, number];

const changed = (source: Rgb24Frame, change: LocalChange): Rgb24Frame =>
  fromGbr(applyChange(toGbr(source), change, gbrSpace(8)));
const fitted = (source: Rgb24Frame, edited: Rgb24Frame): LocalChange =>
  fitChange(planesOfFrame(source), planesOfFrame(edited));

function paint({ width, height }: Size, colourAt: (x: number, y: number) => Colour): Rgb24Frame {
  const rgb = new Uint8ClampedArray(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    rgb.set(colourAt((i % width) + 0.5, Math.floor(i / width) + 0.5), 3 * i);
  }
  return { index: 4, width, height, pixelFormat: 'rgb24', rgb: new Uint8Array(rgb.buffer) };
}

/** A picture of `factor` times the size, averaged down to it: what a small camera would have seen. */
function shrink(frame: Rgb24Frame, factor: number): Rgb24Frame {
  const size = { width: frame.width / factor, height: frame.height / factor };
  return paint(size, (x, y) => {
    const sum = [0, 0, 0];
    for (let k = 0; k < factor ** 2; k++) {
      const px = Math.floor(x) * factor + (k % factor);
      const py = Math.floor(y) * factor + Math.floor(k / factor);
      for (let c = 0; c < 3; c++) sum[c] = (sum[c] ?? 0) + (frame.rgb[3 * (py * frame.width + px) + c] ?? 0);
    }
    const [r = 0, g = 0, b = 0] = sum.map((value) => value / factor ** 2);
    return [r, g, b];
  });
}

/** Mean difference of two frames, 0..255, at the pixels that `isIn` names. */
function differenceOf(a: Rgb24Frame, b: Rgb24Frame, isIn: (x: number, y: number) => boolean = () => true) {
  let [sum, count] = [0, 0];
  a.rgb.forEach((value, i) => {
    const pixel = Math.floor(i / 3);
    if (!isIn(pixel % a.width, Math.floor(pixel / a.width))) return;
    sum += Math.abs(value - (b.rgb[i] ?? 0));
    count++;
  });
  return sum / count;
}

const frames = (most: number) =>
  fc
    .record({ width: fc.integer({ min: 1, max: most }), height: fc.integer({ min: 1, max: most }) })
    .chain(({ width, height }) => {
      const length = 3 * width * height;
      return fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((rgb): Rgb24Frame => ({ index: 0, width, height, pixelFormat: 'rgb24', rgb }));
    });

const large = { width: 128, height: 96 };
const small = { width: 32, height: 24 };
/** Stripes of three pixels: a small picture does not show them. */
const fine = (x: number) => (Math.floor(x) % 3 === 0 ? 50 : -25);
const coarse = (x: number, y: number) => 40 * Math.sin(x / 9) * Math.cos(y / 7);

describe('a change of a small picture, made to a large one', () => {
  test('none leaves every byte as it was, whatever the sizes', () => {
    fc.assert(
      fc.property(frames(24), frames(9), (source, reduced) => {
        const result = changed(source, fitted(reduced, reduced));
        expect(result).toEqual(source);
        expect(result.rgb).not.toBe(source.rgb);
      }),
      { numRuns: 60 },
    );
  });

  test('one colour added everywhere is added exactly', () => {
    const colours = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -60, max: 60 })));
    fc.assert(
      fc.property(colours, fc.integer({ min: 1, max: 99 }), ([r = 0, g = 0, b = 0], phase) => {
        const textured = (x: number, y: number): Colour => {
          const value = 128 + 30 * Math.sin(x * phase) + 30 * Math.cos(y / 3);
          return [value, 255 - value, 128];
        };
        const add = ([red, green, blue]: Colour): Colour => [
          Math.round(red) + r,
          Math.round(green) + g,
          Math.round(blue) + b,
        ];
        const source = paint(large, textured);
        const change = fitted(
          paint(small, textured),
          paint(small, (x, y) => add(textured(x, y))),
        );
        const wanted = source.rgb.map((value, i) => value + ([r, g, b][i % 3] ?? 0));
        expect(Buffer.compare(changed(source, change).rgb, wanted)).toBe(0);
      }),
      { numRuns: 10 },
    );
  });

  test('new colours keep the fine detail, which the small pictures do not show', () => {
    const red = (x: number, y: number): Colour => [150 + coarse(x, y) + fine(x), 40, 30];
    const blue = (x: number, y: number): Colour => [30, 40, 150 + coarse(x, y) + fine(x)];
    const [source, wanted] = [paint(large, red), paint(large, blue)];
    const result = changed(source, fitted(shrink(source, 4), shrink(wanted, 4)));
    expect(differenceOf(result, wanted)).toBeLessThan(6);
    // Without the detail of the source they would be as far off as the stripes are strong.
    const flat = paint(large, (x, y) => [30, 40, 150 + coarse(x, y)]);
    expect(differenceOf(flat, wanted)).toBeGreaterThan(10);
  });

  test('where the edit has put something else, nothing of the source is left', () => {
    const checks = (x: number, y: number): Colour => {
      const value = (Math.floor(x / 9) + Math.floor(y / 9)) % 2 === 0 ? 60 : 190;
      return [value, value, value];
    };
    const waves = (x: number, y: number): Colour => [200, 120 + 30 * Math.sin((x + 2 * y) / 20), 60];
    const mixed = (x: number, y: number) => (x < 64 ? checks(x, y) : waves(x, y));
    const [source, wanted] = [paint(large, checks), paint(large, mixed)];
    const result = changed(source, fitted(shrink(source, 4), shrink(wanted, 4)));
    expect(differenceOf(result, wanted, (x) => x >= 76)).toBeLessThan(3);
    expect(differenceOf(result, source, (x) => x < 40)).toBe(0);
  });

  test('an edge that the edit has moved is where the edit has it', () => {
    const edgeAt = (edge: number) => paint(large, (x) => (x < edge ? [230, 60, 40] : [40, 160, 70]));
    const [source, wanted] = [edgeAt(48), edgeAt(72)];
    const result = changed(source, fitted(shrink(source, 4), shrink(wanted, 4)));
    const isOldEdge = (x: number) => Math.abs(x - 48) < 6;
    expect(differenceOf(source, wanted, (x) => x >= 48 && x < 54)).toBeGreaterThan(80);
    expect(differenceOf(result, wanted, isOldEdge)).toBeLessThan(8);
    expect(differenceOf(result, wanted, (x) => x >= 80 || x < 40)).toBeLessThan(1);
  });
});

describe('boxMean', () => {
  test('is the mean of all points within the radius', () => {
    const planes = fc
      .record({
        width: fc.integer({ min: 1, max: 12 }),
        height: fc.integer({ min: 1, max: 12 }),
        radius: fc.integer({ min: 0, max: 5 }),
      })
      .chain(({ width, height, radius }) =>
        fc
          .array(fc.integer({ min: -255, max: 255 }), { minLength: width * height, maxLength: width * height })
          .map((values) => ({ size: { width, height }, radius, plane: Float32Array.from(values) })),
      );
    fc.assert(
      fc.property(planes, ({ size, radius, plane }) => {
        const expected = Array.from(plane, (_, i) => {
          const [x, y] = [i % size.width, Math.floor(i / size.width)];
          const near = plane.filter(
            (__, j) => Math.abs((j % size.width) - x) <= radius && Math.abs(Math.floor(j / size.width) - y) <= radius,
          );
          return near.reduce((sum, value) => sum + value, 0) / near.length;
        });
        const result = boxMean(plane, size, radius);
        expect(result).toBeAllClose(expected, { atol: 1e-3 });
      }),
    );
  });
});
