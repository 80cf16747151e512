import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from '../../../protocol/fields.ts';
import { maskSettings, type MaskShape } from '../../../protocol/mask.ts';
import { gbrFormat, planeSizes, withAlpha, yuvFormat, type PlanarFrame } from '../media/planes.ts';
import { latentWeights, maskAsAlpha, maskLatents, maskPlanes } from './apply-mask.ts';
import { cropTokens, tokenValues } from './token-grid.ts';
import {
  coverageOfAlpha,
  coverageOfGrey,
  evenCoverage,
  invertCoverage,
  overlapOf,
  resizeCoverage,
  type Coverage,
} from './coverage.ts';
import { drawShapes } from './draw-shapes.ts';
import { featherEdge, growEdge, scaleEdge, shapeEdge } from './edge.ts';

const size = { width: 60, height: 40 };
const rectangle: MaskShape = { kind: 'rectangle', points: [0.25, 0.25, 0.75, 0.75], erases: false };
const areaOf = ({ values }: Coverage) => values.reduce((sum, value) => sum + value, 0);
const at = ({ width, values }: Coverage, x: number, y: number) => values[y * width + x] ?? NaN;
const sizes = fc.record({ width: fc.integer({ min: 1, max: 24 }), height: fc.integer({ min: 1, max: 24 }) });
const coverages = sizes.chain(({ width, height }) =>
  fc
    .array(fc.constantFrom(0, 0.25, 0.5, 1), { minLength: width * height, maxLength: width * height })
    .map((values): Coverage => ({ width, height, values: Float32Array.from(values) })),
);

describe('drawn shapes', () => {
  test('a rectangle covers its pixels and no others, whichever corners it is given', () => {
    const drawn = drawShapes([rectangle], size);
    expect(areaOf(drawn)).toBeCloseTo(30 * 20, 3);
    expect([at(drawn, 15, 10), at(drawn, 44, 29), at(drawn, 14, 10), at(drawn, 45, 29)]).toEqual([1, 1, 0, 0]);
    const others = drawShapes([{ ...rectangle, points: [0.75, 0.25, 0.25, 0.75] }], size);
    expect(others.values).toBeAllClose(drawn.values, { atol: 1e-6 });
  });

  test('an edge between pixels covers them in part', () => {
    const drawn = drawShapes([{ ...rectangle, points: [0.5 / 60, 0, 1, 1] }], size);
    expect(at(drawn, 0, 5)).toBeCloseTo(0.5, 4);
    expect(at(drawn, 1, 5)).toBe(1);
  });

  test('an ellipse has the area of an ellipse', () => {
    const drawn = drawShapes([{ ...rectangle, kind: 'ellipse' }], size);
    expect(areaOf(drawn) / (Math.PI * 15 * 10)).toBeCloseTo(1, 2);
  });

  test('where a polygon covers itself twice, it covers nothing', () => {
    const twice = [0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0.25, 0.25, 0.75, 0.25, 0.75, 0.75, 0.25, 0.75, 0.25, 0.25];
    const drawn = drawShapes([{ kind: 'polygon', points: twice, erases: false }], size);
    expect([at(drawn, 30, 20), at(drawn, 5, 5)]).toEqual([0, 1]);
  });

  test('a brush covers all that is near its way, and is round where pixels are not square', () => {
    const line: MaskShape = { kind: 'brush', points: [0.2, 0.5, 0.8, 0.5], radius: 0.1, erases: false };
    const drawn = drawShapes([line], size);
    expect([at(drawn, 30, 20), at(drawn, 30, 17), at(drawn, 30, 10), at(drawn, 5, 20)]).toEqual([1, 1, 0, 0]);
    const dot = drawShapes([{ ...line, points: [0.5, 0.5] }], size, 2);
    const columns = Array.from({ length: 60 }, (_, x) => at(dot, x, 20)).filter((value) => value >= 0.5).length;
    const rows = Array.from({ length: 40 }, (_, y) => at(dot, 30, y)).filter((value) => value >= 0.5).length;
    expect([columns, rows]).toEqual([4, 8]);
  });

  test('an eraser takes away from the shapes before it, and a shape after it comes on top', () => {
    const eraser: MaskShape = { kind: 'brush', points: [0.5, 0.5], radius: 0.2, erases: true };
    const erased = drawShapes([rectangle, eraser], size);
    expect([at(erased, 30, 20), at(erased, 16, 11)]).toEqual([0, 1]);
    expect(at(drawShapes([rectangle, eraser, rectangle], size), 30, 20)).toBe(1);
    expect(areaOf(drawShapes([eraser, rectangle], size))).toBeCloseTo(600, 3);
  });

  test('every value is between 0 and 1, wherever the points are', () => {
    const points = fc.array(fc.double({ min: -1, max: 2, noNaN: true }), { minLength: 6, maxLength: 12 });
    fc.assert(
      fc.property(sizes, points, (any, numbers) => {
        const even = numbers.slice(0, numbers.length - (numbers.length % 2));
        const shapes: MaskShape[] = [
          { kind: 'polygon', points: even, erases: false },
          { kind: 'brush', points: even, radius: 0.3, erases: false },
        ];
        for (const shape of shapes) {
          const { values } = drawShapes([shape], any);
          expect(values).toHaveLength(any.width * any.height);
          expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
        }
      }),
    );
  });
});

describe('the edge of a mask', () => {
  test('moves outwards and inwards by the pixels that were asked for', () => {
    const drawn = drawShapes([rectangle], size);
    const [larger, smaller] = [growEdge(drawn, 3), growEdge(drawn, -3)];
    expect([at(larger, 12, 20), at(larger, 11, 20), at(larger, 30, 32), at(larger, 30, 33)]).toEqual([1, 0, 1, 0]);
    expect([at(smaller, 18, 20), at(smaller, 17, 20), at(smaller, 16, 20)]).toEqual([1, 0, 0]);
    // Round at corners.
    expect(at(larger, 12, 7)).toBe(0);
  });

  test('grown by whole pixels, it has every pixel whose distance to the mask is not larger', () => {
    fc.assert(
      fc.property(coverages, fc.integer({ min: 1, max: 6 }), (coverage, pixels) => {
        const grown = growEdge(coverage, pixels);
        const inside = [...coverage.values.keys()].filter((i) => (coverage.values[i] ?? 0) >= 0.5);
        const expected = Float32Array.from(coverage.values, (_, i) => {
          const [x, y] = [i % coverage.width, Math.floor(i / coverage.width)];
          const distances = inside.map((j) => Math.hypot(x - (j % coverage.width), y - Math.floor(j / coverage.width)));
          return Math.min(1, Math.max(0, pixels + 1 - Math.min(Infinity, ...distances)));
        });
        expect(grown.values).toBeAllClose(expected, { atol: 1e-5 });
      }),
      { numRuns: 60 },
    );
  });

  test('fades over the pixels that were asked for; beyond, nothing is covered or uncovered by a trace', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), (feather) => {
        const soft = featherEdge(drawShapes([rectangle], size), feather);
        const row = Array.from({ length: 31 }, (_, x) => at(soft, x, 20));
        expect(row.slice(0, 15 - feather).every((value) => value === 0)).toBe(true);
        expect(row.slice(15 + feather).every((value) => value === 1)).toBe(true);
        expect(row).toEqual(row.toSorted((a, b) => a - b));
        expect(at(soft, 14, 20) + at(soft, 15, 20)).toBeCloseTo(1, 5);
      }),
    );
  });

  test('stays as it is where nothing is asked for, and an inverted mask inverted again is the same', () => {
    fc.assert(
      fc.property(coverages, (coverage) => {
        expect(shapeEdge(coverage, { invert: false, grow: 0, feather: 0 })).toBe(coverage);
        expect(invertCoverage(invertCoverage(coverage)).values).toEqual(coverage.values);
      }),
    );
    expect(scaleEdge({ invert: true, grow: -4, feather: 8 }, 0.5)).toEqual({ invert: true, grow: -2, feather: 4 });
  });
});

describe('a mask at work', () => {
  const formats = [yuvFormat('420', 8), yuvFormat('422', 10), yuvFormat('444', 12), yuvFormat('411', 8), gbrFormat(8)];
  const pictures = fc.tuple(coverages, fc.constantFrom(...formats), fc.integer()).map(([coverage, format, seed]) => {
    const { width, height } = coverage;
    const noise = (salt: number): PlanarFrame => ({
      index: 3,
      width,
      height,
      format,
      planes: planeSizes(format, coverage).map((plane, k) => {
        const samples = Array.from({ length: plane.width * plane.height }, (_, i) =>
          Math.floor(2 ** format.bits * Math.abs(Math.sin(seed + salt + 7 * k + i)) * 0.999),
        );
        return format.bits > 8 ? Uint16Array.from(samples) : Uint8Array.from(samples);
      }),
    });
    return { coverage, source: noise(1), edited: noise(2) };
  });
  /** The pixels that see a sample of a plane. */
  const seenBy = ({ format, width, height }: PlanarFrame, k: number, i: number) => {
    const { x, y } = k === 1 || k === 2 ? format.chromaShift : { x: 0, y: 0 };
    const columns = Math.ceil(width / 2 ** x);
    return Array.from({ length: 2 ** (x + y) }, (_, n) => ({
      x: (i % columns) * 2 ** x + (n % 2 ** x),
      y: Math.floor(i / columns) * 2 ** y + Math.floor(n / 2 ** x),
    })).filter((pixel) => pixel.x < width && pixel.y < height);
  };

  test("leaves every sample that a pixel outside sees as the source has it, takes the edit's inside, and stays between", () => {
    fc.assert(
      fc.property(pictures, ({ coverage, source, edited }) => {
        const result = maskPlanes(source, edited, coverage);
        for (const [k, plane] of result.planes.entries()) {
          for (const [i, value] of plane.entries()) {
            const weights = seenBy(source, k, i).map(({ x, y }) => at(coverage, x, y));
            const [own = NaN, changed = NaN] = [source.planes[k]?.[i], edited.planes[k]?.[i]];
            if (weights.includes(0)) expect(value).toBe(own);
            if (weights.every((weight) => weight === 1)) expect(value).toBe(changed);
            expect(value).toBeGreaterThanOrEqual(Math.min(own, changed));
            expect(value).toBeLessThanOrEqual(Math.max(own, changed));
          }
        }
      }),
    );
  });

  test('that is empty gives the source, one that is full the edit, and one of another size is refused', () => {
    fc.assert(
      fc.property(pictures, ({ coverage, source, edited }) => {
        expect(maskPlanes(source, edited, evenCoverage(coverage, 0)).planes).toEqual(source.planes);
        expect(maskPlanes(source, edited, evenCoverage(coverage, 1)).planes).toEqual(edited.planes);
        expect(() => maskPlanes(source, edited, evenCoverage({ width: 99, height: 1 }))).toThrow(RangeError);
      }),
      { numRuns: 30 },
    );
  });

  test('becomes the alpha of the edit, on top of an alpha of its own', () => {
    fc.assert(
      fc.property(pictures, ({ coverage, edited }) => {
        const format = withAlpha(edited.format);
        if (format === null) return;
        expect(planeSizes(format, edited).slice(0, 3)).toEqual(planeSizes(edited.format, edited));
        const result = maskAsAlpha(edited, coverage, format);
        const most = 2 ** format.bits - 1;
        expect(result.planes.slice(0, 3)).toEqual(edited.planes);
        expect([...(result.planes[3] ?? [])]).toEqual(
          [...coverage.values].map((value) => Math.floor(value * most + 0.5)),
        );
        const again = maskAsAlpha(result, coverage, format);
        const squared = [...coverage.values].map((value, i) =>
          Math.floor(value * (result.planes[3]?.[i] ?? NaN) + 0.5),
        );
        expect([...(again.planes[3] ?? [])]).toEqual(squared);
      }),
      { numRuns: 40 },
    );
    expect(withAlpha(yuvFormat('411', 8))).toBeNull();
    expect(withAlpha(yuvFormat('420', 10, true))).toEqual(yuvFormat('420', 10, true));
    const planes = [0, 0, 0].map(() => new Uint8Array(1));
    const frame = { index: 0, width: 1, height: 1, format: gbrFormat(8), planes };
    expect(() => maskAsAlpha(frame, evenCoverage(size), gbrFormat(8, true))).toThrow('does not fit 1 x 1');
  });

  const latentPairs = fc
    .record({ frames: fc.integer({ min: 1, max: 3 }), side: fc.integer({ min: 1, max: 4 }) })
    .chain(({ frames, side }) => {
      const floats = fc.float({ min: -4, max: 4, noNaN: true });
      const many = (count: number) => fc.array(floats, { minLength: count, maxLength: count });
      const count = frames * 4 * side * side;
      const weights = fc.array(fc.constantFrom(0, 0.5, 1), {
        minLength: frames * side * side,
        maxLength: frames * side * side,
      });
      return fc.record({
        frames: fc.constant(frames),
        side: fc.constant(side),
        a: many(count),
        b: many(count),
        weights,
      });
    });

  test("gives latents the source's where it is 0 and the edit's where it is 1, to the bit", () => {
    fc.assert(
      fc.property(latentPairs, ({ frames, side, a, b, weights }) => {
        const dims = [frames, 4, side, side];
        const edited = { dims, data: Float32Array.from(a) };
        const source = { dims, data: Float32Array.from(b) };
        const plane = side * side;
        const result = maskLatents(edited, source, { dims: [frames, 1, side, side], data: Float32Array.from(weights) });
        for (const [i, value] of result.data.entries()) {
          const weight = weights[Math.floor(i / (4 * plane)) * plane + (i % plane)];
          if (weight === 0) expect(value).toBe(source.data[i]);
          if (weight === 1) expect(value).toBe(edited.data[i]);
        }
        const all = (value: number) => ({
          dims: [frames, 1, side, side],
          data: new Float32Array(frames * plane).fill(value),
        });
        expect(maskLatents(edited, source, all(1)).data).toEqual(edited.data);
        expect(maskLatents(edited, source, all(0)).data).toEqual(source.data);
      }),
    );
  });

  test('lets a latent change as soon as one of its pixels may, and the border with the edge of the picture', () => {
    const scaled = { width: 12, height: 8 };
    const placement = { scaled, padded: { width: 16, height: 8 }, left: 2, top: 0 };
    const coverage = evenCoverage(scaled);
    coverage.values[0] = 0.5;
    coverage.values[2 * 12 + 5] = 1;
    const weights = latentWeights(coverage, placement, { width: 4, height: 2 });
    expect([...weights]).toEqual([0.5, 1, 0, 0, 0, 0, 0, 0]);
  });

  test('is read from the brightness of a matte, or its alpha, and what compression leaves in black and white is nothing', () => {
    const rgb = Uint8Array.from([254, 255, 253, 1, 0, 3, 255, 0, 0]);
    expect([...coverageOfGrey({ width: 3, height: 1, rgb }).values]).toEqual([1, 0, Math.fround(1 / 3)]);
    const planes = [0, 0, 0, 1].map((isAlpha) => Uint16Array.from([0, 1023, 512], (code) => isAlpha * code));
    const picture = { index: 0, width: 3, height: 1, format: yuvFormat('444', 10, true), planes };
    expect([...coverageOfAlpha(picture).values]).toEqual([0, 1, Math.fround(512 / 1023)]);
    expect(() => coverageOfAlpha({ ...picture, planes: planes.slice(0, 3) })).toThrow('has no alpha');
  });

  test('of another size keeps its area, and stays whole where it is whole', () => {
    fc.assert(
      fc.property(sizes, (other) => {
        expect(resizeCoverage(evenCoverage(size, 1), other)).toEqual(evenCoverage(other, 1));
        expect(resizeCoverage(evenCoverage(size, 0), other)).toEqual(evenCoverage(other, 0));
      }),
    );
    const drawn = drawShapes([rectangle], size);
    for (const scale of [0.5, 2]) {
      const resized = resizeCoverage(drawn, { width: 60 * scale, height: 40 * scale });
      expect(areaOf(resized) / (600 * scale ** 2)).toBeCloseTo(1, 2);
    }
  });

  test('becomes values of tokens and comes back, except for what tokens are too coarse for', () => {
    const placement = { scaled: size, padded: { width: 64, height: 48 }, left: 2, top: 4 };
    const grid = { width: 16, height: 12 };
    const drawn = drawShapes([{ ...rectangle, points: [0.2, 0.2, 0.9, 0.9] }], size);
    const back = { ...size, values: cropTokens(tokenValues(drawn, placement, grid), grid, placement) };
    expect(overlapOf(back, drawn)).toBeGreaterThan(0.85);
    const whole = cropTokens(tokenValues(evenCoverage(size, 1), placement, grid), grid, placement);
    expect(whole).toEqual(evenCoverage(size, 1).values);
  });

  test('is compared by what both and what either covers', () => {
    const [left, all] = [drawShapes([{ ...rectangle, points: [0, 0, 0.5, 1] }], size), evenCoverage(size, 1)];
    expect([overlapOf(left, all), overlapOf(left, left), overlapOf(left, evenCoverage(size))]).toEqual([0.5, 1, 0]);
    expect(overlapOf(evenCoverage(size), evenCoverage(size))).toBe(1);
  });
});

describe('the settings of a mask', () => {
  const drawn = [{ frame: 0, shapes: [{ kind: 'rectangle', points: [0, 0, 1, 1] }] }];
  const read = (value: unknown) => parse(maskSettings, value, 'settings.mask');

  test('have the usual values where they are left out', () => {
    expect(read({ drawn })).toEqual({
      drawn: [{ frame: 0, shapes: [{ kind: 'rectangle', points: [0, 0, 1, 1], erases: false }] }],
      follows: true,
      invert: false,
      grow: 0,
      feather: 0,
      asAlpha: false,
    });
  });

  test.each([
    [{}, 'settings.mask must have one of drawn, matte and words, got none.'],
    [
      { drawn, matte: { sha256: 'a'.repeat(64), channel: 'luma' } },
      'settings.mask must have one of drawn, matte and words, got 2.',
    ],
    [{ drawn: [] }, 'settings.mask.drawn must have at least one frame, got none.'],
    [{ drawn: [...drawn, ...drawn] }, 'settings.mask.drawn.1.frame must not be given twice, got 0.'],
    [
      { drawn: [{ frame: 0, shapes: [{ kind: 'polygon', points: [0, 0, 1, 1] }] }] },
      'settings.mask.drawn.0.shapes.0.points must have at least 6 numbers, two for each point of a polygon, got 4.',
    ],
    [
      { drawn: [{ frame: 0, shapes: [{ kind: 'brush', points: [0, 0] }] }] },
      'settings.mask.drawn.0.shapes.0.radius must be given for a brush, got nothing.',
    ],
    [
      { drawn: [{ frame: 0, shapes: [{ kind: 'ellipse', points: [0, 0, 1, 1], radius: 0.1 }] }] },
      'settings.mask.drawn.0.shapes.0.radius belongs to a brush, not to this ellipse.',
    ],
    [
      {
        drawn: [0, 1].map((frame) => ({ frame, shapes: [{ kind: 'polygon', points: Array(2002).fill(0.5) }] })),
      },
      'settings.mask.drawn must have at most 2000 points in all, got 2002.',
    ],
    [{ drawn, feather: 501 }, 'settings.mask.feather must be between 0 and 500, got 501.'],
    [
      { matte: { sha256: 'x', channel: 'luma' } },
      "settings.mask.matte.sha256 must be 64 lower-case hexadecimal digits, got 'x'.",
    ],
  ])('are refused by what is wrong, case %#', (value, message) => {
    expect(() => read(value)).toThrow(message);
  });
});
