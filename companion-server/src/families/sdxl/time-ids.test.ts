import { expect, it } from 'vitest';
import { timeIdsOf } from './time-ids.ts';

const idsOf = (width: number, height: number) => [...timeIdsOf({ width, height }, 1024).data];

it('a picture is told by height and width, uncropped', () => {
  expect(idsOf(1344, 800)).toEqual([800, 1344, 0, 0, 800, 1344]);
});

it('a small picture is told as large as the pictures of the training, with its own aspect', () => {
  const [height = 0, width = 0, top, left, ...target] = idsOf(640, 320);
  expect(Math.abs(height * width - 1024 ** 2)).toBeLessThan(1500);
  expect(Math.abs(width / height - 2)).toBeLessThan(0.002);
  expect([top, left, ...target]).toEqual([0, 0, height, width]);
});
