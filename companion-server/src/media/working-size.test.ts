import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cropFrame, padFrame, planWorkingSize } from './working-size.ts';

const edge = fc.integer({ min: 16, max: 8192 });
const clipSize = fc.record({ width: edge, height: edge });
const fitOptions = fc.record({
  multiple: fc.constantFrom(8, 16, 32, 64),
  targetPixels: fc.constantFrom(128 * 128, 512 * 512, 768 * 768),
});

describe('planWorkingSize', () => {
  test('keeps the aspect to half a pixel, pads to the multiple and holds the picture', () => {
    const requested = fc.option(
      fc.record({
        width: fc.integer({ min: 8, max: 2048 }),
        height: fc.integer({ min: 8, max: 2048 }),
      }),
    );
    fc.assert(
      fc.property(clipSize, requested, fitOptions, (clip, box, options) => {
        const { scaled, padded, left, top } = planWorkingSize(clip, box, options);
        const scale =
          box === null
            ? Math.sqrt(options.targetPixels / (clip.width * clip.height))
            : Math.min(box.width / clip.width, box.height / clip.height);
        // A side is never less than one pixel, however long the other one is.
        expect(Math.abs(scaled.width - Math.max(clip.width * scale, 1))).toBeLessThanOrEqual(0.5);
        expect(Math.abs(scaled.height - Math.max(clip.height * scale, 1))).toBeLessThanOrEqual(0.5);
        expect([padded.width % options.multiple, padded.height % options.multiple]).toEqual([0, 0]);
        expect(padded.width - scaled.width).toBeLessThan(options.multiple);
        expect(padded.height - scaled.height).toBeLessThan(options.multiple);
        expect(left).toBe(Math.floor((padded.width - scaled.width) / 2));
        expect(top).toBe(Math.floor((padded.height - scaled.height) / 2));
        if (box !== null) {
          expect(scaled.width).toBeLessThanOrEqual(box.width);
          expect(scaled.height).toBeLessThanOrEqual(box.height);
        }
      }),
    );
  });

  test('a 16:9 clip for a model of 512 x 512', () => {
    const plan = planWorkingSize({ width: 1920, height: 1080 }, null, {
      multiple: 64,
      targetPixels: 512 * 512,
    });
    expect(plan).toEqual({
      scaled: { width: 683, height: 384 },
      padded: { width: 704, height: 384 },
      left: 10,
      top: 0,
    });
  });

  test('refuses sizes that are no positive integers', () => {
    const options = { multiple: 8, targetPixels: 64 };
    expect(() => planWorkingSize({ width: 0, height: 8 }, null, options)).toThrow(
      'planWorkingSize: sizes must be positive integers, got 0.',
    );
    expect(() => planWorkingSize({ width: 8, height: 8 }, { width: 7.5, height: 8 }, options)).toThrow('got 7.5.');
  });
});

describe('padFrame and cropFrame', () => {
  const small = fc.record({
    width: fc.integer({ min: 1, max: 24 }),
    height: fc.integer({ min: 1, max: 24 }),
  });

  test('crop undoes pad, whatever the size', () => {
    fc.assert(
      fc.property(small, fc.constantFrom(8, 16), (size, multiple) => {
        const plan = planWorkingSize(size, size, { multiple, targetPixels: 1 });
        const rgb = Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) => (i * 37) % 256);
        const frame = { index: 3, ...size, pixelFormat: 'rgb24' as const, rgb };
        expect(cropFrame(padFrame(frame, plan), plan)).toEqual(frame);
      }),
    );
  });

  test('the border mirrors the picture without repeating its edge', () => {
    const plan = planWorkingSize({ width: 3, height: 1 }, null, { multiple: 8, targetPixels: 3 });
    const frame = {
      index: 0,
      width: 3,
      height: 1,
      pixelFormat: 'rgb24' as const,
      rgb: Uint8Array.from([1, 1, 1, 2, 2, 2, 3, 3, 3]),
    };
    const padded = padFrame(frame, plan);
    const firstRow = Array.from({ length: 8 }, (_, x) => padded.rgb[3 * x]);
    expect(firstRow).toEqual([3, 2, 1, 2, 3, 2, 1, 2]);
  });

  test('refuses a frame of another size', () => {
    const plan = planWorkingSize({ width: 4, height: 4 }, null, { multiple: 8, targetPixels: 16 });
    const frame = { index: 0, width: 5, height: 4, pixelFormat: 'rgb24' as const, rgb: new Uint8Array(60) };
    expect(() => padFrame(frame, plan)).toThrow('padFrame: the frame must be 4 x 4, got 5 x 4.');
    expect(() => cropFrame(frame, plan)).toThrow('cropFrame: the frame must be 8 x 8, got 5 x 4.');
  });
});
