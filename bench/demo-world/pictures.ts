// Frames in memory, and their way through the VAE. The sample clips are short and small.

import type { Model } from '../../companion-server/src/engine/model/model.ts';
import type { Sample } from '../../companion-server/src/demo/samples.ts';
import type { Rgb24Frame } from '../../companion-server/src/media/frame.ts';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { frameToTensor, tensorToFrame } from '../../companion-server/src/media/pixels.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import type { Conditioning } from '../../companion-server/src/nets/conditioning.ts';
import type { LatentSize } from '../../companion-server/src/nets/denoising-network.ts';
import { concatRows, sliceRows, type Tensor } from '../../companion-server/src/tensor/tensor.ts';

const picturesPerForward = 8;

/** All frames of a clip. */
export async function readFrames(file: string): Promise<readonly Rgb24Frame[]> {
  const frames: Rgb24Frame[] = [];
  for await (const frame of decodeFrames(await probeClip(file))) frames.push(frame);
  return frames;
}

/** `count` items, evenly spaced, the first among them; all when there are not more. */
export function spread<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  const chosen = Array.from({ length: count }, (_, i) => Math.floor((i * items.length) / count));
  return items.filter((_, i) => chosen.includes(i));
}

export function latentSizeOf({ width, height }: Pick<Sample, 'width' | 'height'>, { vae }: Model): LatentSize {
  return { width: width / vae.latents.downscale, height: height / vae.latents.downscale };
}

/** Frames of one size -> latents [N, C, h, w]. */
export async function encodeFrames(model: Model, frames: readonly Rgb24Frame[]): Promise<Tensor> {
  const [first] = frames;
  if (first === undefined) throw new RangeError('encodeFrames: at least one frame is needed.');
  const encoder = await model.openEncoder(latentSizeOf(first, model));
  try {
    const parts: Tensor[] = [];
    for (let start = 0; start < frames.length; start += picturesPerForward) {
      const some = frames.slice(start, start + picturesPerForward);
      parts.push(await encoder.run(concatRows(some.map(frameToTensor))));
    }
    return concatRows(parts);
  } finally {
    await encoder.release();
  }
}

/** Latents [N, C, h, w] -> N frames, numbered from 0. */
export async function decodeLatents(model: Model, latents: Tensor): Promise<readonly Rgb24Frame[]> {
  const [count = 0, , height = 0, width = 0] = latents.dims;
  const decoder = await model.openDecoder({ width, height });
  try {
    const frames: Rgb24Frame[] = [];
    for (let start = 0; start < count; start += picturesPerForward) {
      const end = Math.min(start + picturesPerForward, count);
      const images = await decoder.run(sliceRows(latents, start, end));
      for (let row = 0; row < end - start; row++) {
        frames.push(tensorToFrame(sliceRows(images, row, row + 1), start + row));
      }
    }
    return frames;
  } finally {
    await decoder.release();
  }
}

/** Of what the sample shows. */
export async function conditioningOf(model: Model, { caption, width, height }: Sample): Promise<Conditioning> {
  const [conditioning] = await model.conditioning([caption], { width, height });
  if (conditioning === undefined) throw new TypeError('The model is silent.');
  return conditioning;
}
