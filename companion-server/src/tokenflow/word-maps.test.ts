import { expect, it } from 'vitest';
import { generate } from '../../../test/run-graph.ts';
import { tensor, type Tensor } from '../tensor/tensor.ts';
import type { Denoiser, PassInputs } from './denoiser.ts';
import { wordMaps } from './word-maps.ts';

/** Returns these maps of the blocks, times the timestep; keeps what it was asked. */
function denoiserOf(blocks: readonly Tensor[]): Denoiser & { readonly asked: PassInputs[] } {
  const asked: PassInputs[] = [];
  return {
    asked,
    run(_, inputs) {
      asked.push(inputs);
      const words = blocks.map((block) => ({ ...block, data: block.data.map((value) => value * inputs.timestep) }));
      return Promise.resolve({ prediction: {}, tokens: { source: [], attention: [] }, correspondences: null, words });
    },
  };
}

const conditioning = { tokens: tensor([1, 6, 3]) };
const latentsAt = () => Promise.resolve(tensor([2, 4, 4, 8]));

it('adds up all blocks at the finest grid, and goes from 0 to 1 in each frame', async () => {
  // 8 x 4 and 4 x 2 tokens: both see the right half in the first frame, the lower one in the second.
  const sees = (width: number) =>
    generate([2, (width * width) / 2], (frame = 0, token = 0) => {
      const [x, y] = [token % width, Math.floor(token / width)];
      return 0.1 + ((frame === 0 ? x >= width / 2 : y >= width / 4) ? 0.2 : 0);
    });
  const denoiser = denoiserOf([sees(8), sees(4)]);
  const maps = await wordMaps({ denoiser, conditioning, places: [2, 3], timesteps: [100, 300], latentsAt });
  expect(maps.dims).toEqual([2, 32]);
  const at = (frame: number, x: number, y: number) => maps.data[frame * 32 + y * 8 + x] ?? NaN;
  expect([at(0, 0, 0), at(0, 7, 3), at(1, 0, 0), at(1, 7, 3)].map((value) => Math.round(1e5 * value))).toEqual([
    0, 1e5, 0, 1e5,
  ]);
  expect(at(0, 3, 1)).toBeLessThan(0.5);
  expect(at(0, 4, 1)).toBeGreaterThan(0.5);
  expect(at(1, 3, 1)).toBeLessThan(0.5);
  expect(at(1, 3, 2)).toBeGreaterThan(0.5);
  expect(denoiser.asked.map(({ timestep }) => timestep)).toEqual([100, 300]);
  expect([...(denoiser.asked[0]?.words?.data ?? [])]).toEqual([0, 0, 0.5, 0.5, 0, 0]);
});

it('is nothing where all of the picture looks at the words alike', async () => {
  const denoiser = denoiserOf([generate([2, 32], () => 0.3)]);
  const maps = await wordMaps({ denoiser, conditioning, places: [1], timesteps: [100], latentsAt });
  expect(maps.data.every((value) => value === 0)).toBe(true);
});
