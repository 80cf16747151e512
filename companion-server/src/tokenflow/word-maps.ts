// Where a picture shows the words of its prompt: attention to them, the mean of blocks and of several noises, as in Tang et
// al., "What the DAAM", arXiv 2210.04885, section 3. Then each token takes the mean of the tokens that resemble it, in the
// manner of DiffSegmenter, arXiv 2309.02773, section 3.3, which takes the network's own attention for that.

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
  emits: { prediction: false, sourceTokens: true, attention: [], correspondences: false, words: true },
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
 * Tokens of the blocks that say most of where words are, 16 x 16 and 32 x 32 in pictures of usual size: as in LEDITS++ (arXiv
 * 2311.16711, section 4.2). Finer ones show texture, coarser ones the whole picture.
 */
const [fewestTokens, mostTokens] = [128, 2048];

/** Of the similarity of two tokens, -1..1: how much less counts. Best of 0.02, 0.05 and 0.1 on the sample clips. */
const similarityScale = 0.05;

/**
 * Of each frame [N, S], 0..1, at the S tokens of the finest transformer blocks: 0 where the frame looks least at the words,
 * 1 where most. Costs one forward of the network for each frame and timestep. Throws TypeError where the pass returns nothing.
 * @param options the first timestep should have the least noise: its tokens are compared
 */
export async function wordMaps(options: WordMapOptions): Promise<Tensor> {
  const { denoiser, conditioning, places, timesteps, latentsAt } = options;
  const words = tensor([conditioning.tokens.dims[1] ?? 0, 1]);
  for (const place of places) words.data[place] = 1 / places.length;
  let found: {
    readonly sums: Tensor;
    readonly tokens: Tensor;
    readonly finest: number;
    readonly aspect: number;
  } | null = null;
  for (const timestep of timesteps) {
    const latents = await latentsAt(timestep);
    const [, , height = 0, width = 0] = latents.dims;
    const inputs = { latents: { source: latents }, timestep, conditioning: { source: conditioning }, words };
    const { words: blocks = [], tokens } = await denoiser.run(wordPass, inputs);
    const lengths = blocks.map(({ dims }) => dims[1] ?? 0);
    const chosen = tellingBlocks(lengths);
    const last = chosen.findLast((block) => lengths[block] === Math.max(...chosen.map((one) => lengths[one] ?? 0)));
    const lastTokens = tokens.source[last ?? -1];
    if (last === undefined || lastTokens === undefined) throw new TypeError('wordMaps: the pass returned no tokens.');
    const [frames = 0, length = 0] = blocks[last]?.dims ?? [];
    const aspect = width / height;
    found ??= { sums: tensor([frames, length]), tokens: lastTokens, finest: Math.max(...lengths), aspect };
    for (const block of chosen) addEnlarged(found.sums, blocks[block] ?? tensor([frames, length]), aspect);
  }
  if (found === null) throw new TypeError('wordMaps: there is no timestep.');
  const { sums, tokens, finest, aspect } = found;
  const maps = tensor([sums.dims[0] ?? 0, finest]);
  addEnlarged(maps, meanOfAlike(sums, tokens), aspect);
  for (let start = 0; start < maps.data.length; start += finest) stretch(maps.data.subarray(start, start + finest));
  return maps;
}

/** Blocks on the way up, behind the coarsest, of the right fineness; all of them where none has it. */
function tellingBlocks(lengths: readonly number[]): readonly number[] {
  const middle = lengths.lastIndexOf(Math.min(...lengths));
  const all = lengths.map((_, block) => block);
  const up = all.filter((block) => block > middle);
  const right = up.filter((block) => (lengths[block] ?? 0) >= fewestTokens && (lengths[block] ?? 0) <= mostTokens);
  return [right, up, all].find(({ length }) => length > 0) ?? [];
}

/** Values [N, s] -> the mean of those of similar tokens of the same frame. `tokens` are [N, s, C], of unit length. */
function meanOfAlike(values: Tensor, tokens: Tensor): Tensor {
  const [frames = 0, length = 0] = values.dims;
  const channels = tokens.data.length / (frames * length);
  const out = tensor(values.dims);
  for (let frame = 0; frame < frames; frame++) {
    const own = values.data.subarray(frame * length, (frame + 1) * length);
    const unit = tokens.data.subarray(frame * length * channels, (frame + 1) * length * channels);
    for (let i = 0; i < length; i++) {
      let [sum, weights] = [0, 0];
      for (let j = 0; j < length; j++) {
        let similarity = 0;
        for (let c = 0; c < channels; c++) {
          similarity += (unit[i * channels + c] ?? 0) * (unit[j * channels + c] ?? 0);
        }
        const weight = Math.exp((similarity - 1) / similarityScale);
        sum += weight * (own[j] ?? 0);
        weights += weight;
      }
      out.data[frame * length + i] = sum / weights;
    }
  }
  return out;
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

/** Smaller differences, as a share of the largest value, are those of rounding. */
const rounding = 1e-5;

/** To 0..1; values that are all alike become 0. */
function stretch(values: Float32Array): void {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const range = most - least;
  for (const [i, value] of values.entries()) values[i] = range <= rounding * most ? 0 : (value - least) / range;
}
