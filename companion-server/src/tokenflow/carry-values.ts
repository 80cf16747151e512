// Values that are known at the places of some frames, carried to all frames along the clip's own correspondences: each token
// of a frame takes the value of the most similar token of the source (arXiv 2307.10373, section 4.2) in the nearest given
// frames. The features are those of the source under a little noise, as in DIFT (arXiv 2306.03881): sharper than those of
// the noise that sampling begins with.

import type { Conditioning } from '../nets/conditioning.ts';
import { concatRows, type Tensor } from '../tensor/tensor.ts';
import type { Denoiser, KeyframeTokens } from './denoiser.ts';
import { paperNeighbours, type Neighbours } from './keyframe-neighbours.ts';
import { frameRange } from './latents.ts';
import { pairsOf } from './correspondences.ts';
import { frameInversionPass, keyframeInversionPass } from './step-passes.ts';

export interface CarryOptions {
  readonly denoiser: Denoiser;
  /** Of what the clip shows. */
  readonly conditioning: Conditioning;
  readonly timestep: number;
  /** [N, C, h, w] of the source at that timestep; of frames counted like `given`. */
  readonly latentsOf: (frames: readonly number[]) => Promise<Tensor>;
  /** The frames whose values are known, rising, at least one. */
  readonly given: readonly number[];
  /** The frames to carry them to, rising. */
  readonly frames: readonly number[];
  /** Frames of one pass. */
  readonly chunkSize: number;
  /** Of the n-th given frame: its values [C, length] at the tokens of the finest transformer blocks. */
  readonly valuesOf: (given: number) => Promise<Float32Array>;
}

/** Values [C, length] of a frame. */
export interface CarriedValues {
  readonly frame: number;
  readonly values: Float32Array;
}

/**
 * Yields the values of each frame, in order, at the tokens of the finest transformer blocks, of which it takes the mean. Those
 * of two given frames are mixed by distance. Costs one forward of the network for each frame and each given frame.
 */
export async function* carryValues(options: CarryOptions): AsyncGenerator<CarriedValues, void, undefined> {
  const { frames, given, chunkSize } = options;
  const tokens = await tokensOf(options);
  const lengths = tokens.source.map(({ dims }) => dims[1] ?? 0);
  const finest = Math.max(...lengths);
  const known = await Promise.all(given.map((_, n) => options.valuesOf(n)));
  for (let start = 0; start < frames.length; start += chunkSize) {
    yield* carryToChunk(options, frames.slice(start, start + chunkSize), { tokens, lengths, finest, known });
  }
}

interface Known {
  readonly tokens: KeyframeTokens;
  /** Tokens of each block. */
  readonly lengths: readonly number[];
  readonly finest: number;
  readonly known: readonly Float32Array[];
}

async function* carryToChunk(
  { denoiser, conditioning, timestep, latentsOf, given }: CarryOptions,
  frames: readonly number[],
  { tokens, lengths, finest, known }: Known,
): AsyncGenerator<CarriedValues, void, undefined> {
  const neighbours = frames.map((frame) => paperNeighbours(frame, given));
  const pairs = pairsOf(neighbours, given);
  const { correspondences } = await denoiser.run(frameInversionPass, {
    latents: { source: await latentsOf(frames) },
    timestep,
    conditioning: { source: conditioning },
    keyframes: tokens,
    pairs,
  });
  if (correspondences === null) throw new TypeError('The pass returned no correspondences.');
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const fine = lengths.flatMap((length, block) => (length === finest ? [offsetOf(lengths, block)] : []));
  for (const [n, frame] of frames.entries()) {
    const { left = 0, right = 0 } = pairs[n] ?? {};
    const share = shareOfRight(frame, neighbours[n]);
    const values = new Float32Array(known[0]?.length ?? 0);
    for (const [side, keyframe, weight] of [[0, left, 1 - share] as const, [1, right, share] as const]) {
      const from = known[keyframe];
      if (weight === 0 || from === undefined) continue;
      for (const offset of fine) {
        const at = (2 * n + side) * total + offset;
        for (let i = 0; i < values.length; i++) {
          const [token, channel] = [i % finest, i - (i % finest)];
          const nearest = correspondences.nearest[at + token] ?? 0;
          values[i] = (values[i] ?? 0) + (weight / fine.length) * (from[channel + nearest] ?? 0);
        }
      }
    }
    yield { frame, values };
  }
}

async function tokensOf({ denoiser, conditioning, timestep, latentsOf, given, chunkSize }: CarryOptions) {
  const parts: KeyframeTokens[] = [];
  for (const start of frameRange(0, given.length).filter((n) => n % chunkSize === 0)) {
    const { tokens } = await denoiser.run(keyframeInversionPass, {
      latents: { source: await latentsOf(given.slice(start, start + chunkSize)) },
      timestep,
      conditioning: { source: conditioning },
    });
    parts.push(tokens);
  }
  const blocks = parts[0]?.source.length ?? 0;
  const source = frameRange(0, blocks).map((b) => concatRows(parts.flatMap((part) => part.source[b] ?? [])));
  return { source, attention: [] } satisfies KeyframeTokens;
}

/** By distance: values of two given frames that differ shall not jump at either. */
function shareOfRight(frame: number, neighbours: Neighbours | undefined): number {
  if (neighbours === undefined || neighbours.left === neighbours.right) return 0;
  return (frame - neighbours.left) / (neighbours.right - neighbours.left);
}

function offsetOf(lengths: readonly number[], block: number): number {
  return lengths.slice(0, block).reduce((sum, length) => sum + length, 0);
}
