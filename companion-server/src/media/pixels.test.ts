import { expect, test } from 'vitest';
import { tensor } from '../tensor/tensor.ts';
import type { Frame } from './frame.ts';
import { frameToTensor, tensorToFrame } from './pixels.ts';

test('channels become planes and bytes become -1..1', () => {
  const frame = {
    index: 0,
    width: 2,
    height: 1,
    pixelFormat: 'rgb24' as const,
    rgb: Uint8Array.from([0, 255, 51, 255, 0, 204]),
  };
  const image = frameToTensor(frame);
  expect(image.dims).toEqual([1, 3, 1, 2]);
  expect(image.data).toBeAllClose([-1, 1, 1, -1, -0.6, 0.6], { atol: 1e-6 });
});

test('every byte survives the way there and back', () => {
  const rgb = Uint8Array.from({ length: 256 * 3 }, (_, i) => i % 256);
  const frame = { index: 7, width: 64, height: 4, pixelFormat: 'rgb24' as const, rgb };
  expect(tensorToFrame(frameToTensor(frame), 7)).toEqual(frame);
});

test('values outside are clamped and the rest is rounded, not cut', () => {
  const image = tensor([1, 3, 1, 1], Float32Array.from([-1.5, 3, 127.4 / 127.5 - 1 + 0.3 / 127.5]));
  expect([...tensorToFrame(image, 0).rgb]).toEqual([0, 255, 128]);
});

test('refuses dims that are no picture', () => {
  expect(() => tensorToFrame(tensor([1, 4, 2, 2]), 0)).toThrow(
    'tensorToFrame: dims must be [1, 3, height, width], got [1, 4, 2, 2].',
  );
});

test('a frame of more bits or with alpha is refused, and not read as if it were rgb24', () => {
  const size = { index: 0, width: 1, height: 1 };
  const deep: Frame = { ...size, pixelFormat: 'rgb48le', rgb: Uint16Array.of(1, 2, 3) };
  expect(() => frameToTensor(deep)).toThrow('frameToTensor: the pixel format must be rgb24, got rgb48le.');
  const clear: Frame = { ...size, pixelFormat: 'rgba', rgb: Uint8Array.of(1, 2, 3, 4) };
  expect(() => frameToTensor(clear)).toThrow('frameToTensor: the pixel format must be rgb24, got rgba.');
});
