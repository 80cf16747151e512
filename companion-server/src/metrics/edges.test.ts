import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Rgb24Frame } from '../media/frame.ts';
import { edgeSsim, edgesOf } from './edges.ts';

const [width, height] = [24, 16];

function picture(colour: (x: number, y: number) => readonly [number, number, number]): Rgb24Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    rgb.set(colour(i % width, Math.floor(i / width)), 3 * i);
  }
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

function grey(value: (x: number, y: number) => number): Rgb24Frame {
  return picture((x, y) => [value(x, y), value(x, y), value(x, y)]);
}

/** A box in front of a ground. */
const box = (inside: number, outside: number) =>
  grey((x, y) => (x >= 6 && x < 15 && y >= 4 && y < 12 ? inside : outside));

describe('edges', () => {
  test('a straight step from black to white is 255 high on both of its sides, and nothing elsewhere', () => {
    const edges = edgesOf(grey((x) => (x < 10 ? 0 : 255)));
    const row = edges.subarray(5 * width, 6 * width);
    expect([...row].map(Math.round)).toEqual(Array.from({ length: width }, (_, x) => (x === 9 || x === 10 ? 255 : 0)));
  });

  test('a step is as high from above as from the side', () => {
    const across = edgesOf(grey((_, y) => (y < 8 ? 40 : 90)));
    const along = edgesOf(grey((x) => (x < 8 ? 40 : 90)));
    expect(across[8 * width + 3]).toBeCloseTo(along[3 * width + 8] ?? NaN, 3);
  });

  test('an even picture has none, up to its border', () => {
    expect(Math.max(...edgesOf(grey(() => 137)))).toBeLessThan(1e-3);
  });

  test('turning a picture light for dark leaves its edges as they are', () => {
    expect(edgeSsim(box(200, 60), box(55, 195))).toBeCloseTo(1, 3);
  });

  test('other colours of one brightness are the same structure', () => {
    // Rec. 601: 0.299 * 200 = 59.8 and 0.587 * 102 = 59.9
    const red = picture((x) => (x < 12 ? [200, 0, 0] : [0, 0, 0]));
    const green = picture((x) => (x < 12 ? [0, 102, 0] : [0, 0, 0]));
    expect(edgeSsim(red, green)).toBeCloseTo(1, 3);
  });

  test('a box that went somewhere else is another structure', () => {
    const moved = grey((x, y) => (x >= 12 && x < 21 && y >= 2 && y < 10 ? 200 : 60));
    expect(edgeSsim(box(200, 60), moved)).toBeLessThan(0.6);
  });

  test('more disturbance is less likeness, in either order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 40 }), (strength) => {
        const source = box(200, 60);
        const disturbed = (by: number) =>
          grey((x, y) => (source.rgb[3 * (y * width + x)] ?? 0) + by * (((x * 7 + y * 13) % 3) - 1));
        const [little, much] = [disturbed(strength / 4), disturbed(strength)];
        expect(edgeSsim(source, much)).toBeLessThan(edgeSsim(source, little));
        expect(edgeSsim(much, source)).toBeCloseTo(edgeSsim(source, much), 9);
      }),
    );
  });

  test('refuses pictures of two sizes', () => {
    const other: Rgb24Frame = {
      index: 0,
      width: 16,
      height: 24,
      pixelFormat: 'rgb24',
      rgb: new Uint8Array(16 * 24 * 3),
    };
    expect(() => edgeSsim(box(1, 2), other)).toThrow('edgeSsim: frames must have one size, got 24 x 16 and 16 x 24.');
  });
});
