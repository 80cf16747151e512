import { expect, it } from 'vitest';
import { sliceRows } from '../tensor/tensor.ts';
import { frameNoise, sharedNoise } from './seeded-noise.ts';

const frameDims = [4, 3, 5];

it("a frame's noise does not depend on the other frames, their number or their order", () => {
  const all = frameNoise(9, [0, 1, 2, 3], frameDims);
  const some = frameNoise(9, [3, 1], frameDims);
  expect(all.dims).toEqual([4, 4, 3, 5]);
  expect(sliceRows(some, 0, 1).data).toEqual(sliceRows(all, 3, 4).data);
  expect(sliceRows(some, 1, 2).data).toEqual(sliceRows(all, 1, 2).data);
});

it('frames and seeds differ', () => {
  const all = frameNoise(9, [0, 1], frameDims);
  expect(sliceRows(all, 0, 1).data).not.toEqual(sliceRows(all, 1, 2).data);
  expect(frameNoise(10, [0, 1], frameDims).data).not.toEqual(all.data);
});

it('is standard normal', () => {
  const { data } = frameNoise(1, [0, 1, 2, 3], [4, 32, 32]);
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

it('shared noise is frame 0 repeated', () => {
  const shared = sharedNoise(9, 3, frameDims);
  const first = frameNoise(9, [0], frameDims);
  expect(shared.dims).toEqual([3, 4, 3, 5]);
  for (const row of [0, 1, 2]) expect(sliceRows(shared, row, row + 1).data).toEqual(first.data);
});
