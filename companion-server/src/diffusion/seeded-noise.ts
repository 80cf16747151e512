// Seeded noise for latents. Every frame has its own stream, so that its noise depends on the seed and its index
// alone: not on how many frames there are, nor on the order or the chunks in which they are drawn.

import { createRandom } from '../tensor/random.ts';
import { concatRows, sizeOf, type Tensor, tensor } from '../tensor/tensor.ts';

/**
 * Standard normal noise, another for each frame.
 * @param frameIndices 0-based positions in the clip
 * @param frameDims [C, h, w]
 * @returns [N, C, h, w], one row per index
 */
export function frameNoise(seed: number, frameIndices: readonly number[], frameDims: readonly number[]): Tensor {
  const noise = tensor([frameIndices.length, ...frameDims]);
  const frameSize = sizeOf(frameDims);
  frameIndices.forEach((frameIndex, row) => {
    const random = createRandom(seed, frameIndex);
    const frame = noise.data.subarray(row * frameSize, (row + 1) * frameSize);
    for (let i = 0; i < frameSize; i++) frame[i] = random.gaussian();
  });
  return noise;
}

/**
 * Standard normal noise, the same for every frame (that of frame 0): steadier where SDEdit starts from noise.
 * @param frameDims [C, h, w]
 * @returns [N, C, h, w], N = `frames`, at least 1
 */
export function sharedNoise(seed: number, frames: number, frameDims: readonly number[]): Tensor {
  const one = frameNoise(seed, [0], frameDims);
  return concatRows(Array.from({ length: frames }, () => one));
}

/**
 * Standard normal noise of a timestep, the same for every frame of every clip: fresh noise in each frame would flicker.
 * @param frameDims [C, h, w]
 * @returns [N, C, h, w], N = `frames`, at least 1
 */
export function timestepNoise(timestep: number, frames: number, frameDims: readonly number[]): Tensor {
  const one = frameNoise(timestepSeed, [timestep], frameDims);
  return concatRows(Array.from({ length: frames }, () => one));
}

/** Any number, so long as it is none that users choose: 0 and small ones. */
const timestepSeed = 0x7ca1ab1e;
