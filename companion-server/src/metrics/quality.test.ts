import { describe, expect, test } from 'vitest';
import type { Rgb24Frame } from '../media/frame.ts';
import { psnr } from './psnr.ts';
import { ssim } from './ssim.ts';

function grey(value: (x: number, y: number) => number, width = 24, height = 16): Rgb24Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    rgb.fill(value(i % width, Math.floor(i / width)), 3 * i, 3 * i + 3);
  }
  return { index: 0, width, height, pixelFormat: 'rgb24', rgb };
}

const ramp = grey((x, y) => 5 * x + 3 * y);

describe('psnr', () => {
  test('is infinite for equal frames', () => {
    expect(psnr(ramp, ramp)).toBe(Infinity);
  });

  test('is 20 log10(255 / d) for a difference of d everywhere', () => {
    const shifted = grey((x, y) => 5 * x + 3 * y + 4);
    expect(psnr(ramp, shifted)).toBeCloseTo(20 * Math.log10(255 / 4), 9);
  });

  test('refuses frames of two sizes', () => {
    expect(() =>
      psnr(
        ramp,
        grey(() => 0, 16, 24),
      ),
    ).toThrow('psnr: frames must have one size, got 24 x 16 and 16 x 24.');
  });
});

describe('ssim', () => {
  test('is 1 for equal frames', () => {
    expect(ssim(ramp, ramp)).toBeCloseTo(1, 12);
  });

  test('of two flat frames is the luminance term alone', () => {
    const c1 = (0.01 * 255) ** 2;
    const expected = (2 * 100 * 140 + c1) / (100 ** 2 + 140 ** 2 + c1);
    expect(
      ssim(
        grey(() => 100),
        grey(() => 140),
      ),
    ).toBeCloseTo(expected, 5);
  });

  test('of a pattern and its inverse is negative', () => {
    const check = grey((x, y) => ((x + y) % 2) * 200);
    const inverse = grey((x, y) => ((x + y + 1) % 2) * 200);
    expect(ssim(check, inverse)).toBeLessThan(-0.9);
  });

  test('is symmetric and falls with the strength of a disturbance', () => {
    const disturb = (strength: number) => grey((x, y) => 5 * x + 3 * y + strength * ((x * 7 + y * 13) % 5));
    expect(ssim(ramp, disturb(4))).toBeCloseTo(ssim(disturb(4), ramp), 12);
    expect(ssim(ramp, disturb(2))).toBeGreaterThan(ssim(ramp, disturb(6)));
  });

  test('refuses frames smaller than its window', () => {
    const small = grey(() => 0, 10, 40);
    expect(() => ssim(small, small)).toThrow('ssim: frames must be at least 11 x 11, got 10 x 40.');
  });
});
