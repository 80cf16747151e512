// Where a picture shows the words of its prompt: attention to them, the mean of all blocks and of several noises. Tang et al.,
// "What the DAAM", arXiv 2210.04885, section 3.

import type { Conditioning } from '../nets/conditioning.ts';
import { noInjection, type Pass } from '../nets/pass.ts';
import { tensor } from '../tensor/tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Denoiser } from './denoiser.ts';

const wordPass: Pass = {
  branches: ['source'],
  attention: 'self',
  correspondences: null,
  injection: noInjection,
  emits: { prediction: false, sourceTokens: false, attention: [], correspondences: false, words: true },
};

export interface WordMapOptions {
  readonly denoiser: Denoiser;
  /** Of the prompt. */
  readonly conditioning: Conditioning;
  /** Places of the words among the prompt's tokens, at least one. */
  readonly places: readonly number[];
  readonly timesteps: readonly number[];
  /** [N, C, h, w] of some frames at a timestep. */
  readonly latentsAt: (timestep: number) => Promise<Tensor>;
}

/**
 * Of each frame [N, S], 0..1, at the S tokens of the finest transformer blocks: 0 where the frame looks least at the words,
 * 1 where most. Costs one forward of the network for each frame and timestep. Throws TypeError where the pass returns nothing.
 */
export async function wordMaps(options: WordMapOptions): Promise<Tensor> {
  const { denoiser, conditioning, places, timesteps, latentsAt } = options;
  const words = tensor([conditioning.tokens.dims[1] ?? 0, 1]);
  for (const place of places) words.data[place] = 1 / places.length;
  let sums: Tensor | undefined;
  for (const timestep of timesteps) {
    const latents = await latentsAt(timestep);
    const [, , height = 0, width = 0] = latents.dims;
    const inputs = { latents: { source: latents }, timestep, conditioning: { source: conditioning }, words };
    const { words: blocks = [] } = await denoiser.run(wordPass, inputs);
    const finest = Math.max(...blocks.map(({ dims }) => dims[1] ?? 0));
    const [frames = 0] = blocks[0]?.dims ?? [];
    sums ??= tensor([frames, finest]);
    for (const block of blocks) addEnlarged(sums, block, width / height);
  }
  if (sums === undefined) throw new TypeError('wordMaps: there is no timestep.');
  const [, length = 0] = sums.dims;
  for (let start = 0; start < sums.data.length; start += length) stretch(sums.data.subarray(start, start + length));
  return sums;
}

/** Adds [N, s] to [N, S]; both are grids of the same shape, whose width is `aspect` of their height. */
function addEnlarged(sums: Tensor, block: Tensor, aspect: number): void {
  const [, length = 0] = sums.dims;
  const [, own = 0] = block.dims;
  const [width, ownWidth] = [Math.round(Math.sqrt(length * aspect)), Math.max(1, Math.round(Math.sqrt(own * aspect)))];
  const [height, ownHeight] = [length / width, Math.max(1, Math.round(own / ownWidth))];
  for (let i = 0; i < sums.data.length; i++) {
    const [frame, at] = [Math.floor(i / length), i % length];
    const x = between((at % width) + 0.5, ownWidth / width, ownWidth);
    const y = between(Math.floor(at / width) + 0.5, ownHeight / height, ownHeight);
    const value = (row: number, column: number): number => block.data[frame * own + row * ownWidth + column] ?? 0;
    const above = (1 - x.share) * value(y.first, x.first) + x.share * value(y.first, x.second);
    const below = (1 - x.share) * value(y.second, x.first) + x.share * value(y.second, x.second);
    sums.data[i] = (sums.data[i] ?? 0) + (1 - y.share) * above + y.share * below;
  }
}

function between(middle: number, scale: number, length: number) {
  const at = Math.min(length - 1, Math.max(0, middle * scale - 0.5));
  const first = Math.floor(at);
  return { first, second: Math.min(length - 1, first + 1), share: at - first };
}

/** To 0..1; values that are all alike become 0. */
function stretch(values: Float32Array): void {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  for (const [i, value] of values.entries()) values[i] = most === least ? 0 : (value - least) / (most - least);
}
