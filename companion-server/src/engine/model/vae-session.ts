// The VAE as an edit uses it: in the latents of the UNet, and in a precision that holds its values.

import type { LatentFormat } from '../../families/family.ts';
import type { FloatType } from '../../onnx/graph.ts';
import type { Session } from '../../onnx/session.ts';
import { isAllFinite } from '../../tensor/finite.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** One direction of the VAE. Latents are those of the UNet (scaled and shifted). */
export interface VaeSession {
  /** Encoder: image [N, 3, H, W] in -1..1 -> latents [N, C, h, w]. Decoder: the way back. */
  run(input: Tensor): Promise<Tensor>;
  release(): Promise<void>;
}

/** The precision that a VAE computes in; all its sessions share one, and widen it for each other. */
export interface VaeRange {
  float: FloatType;
}

/**
 * Runs in the precision of `range`. Where half precision gives a value that is no number, the same input is computed again in
 * single precision, and so is everything after it. Many VAEs of Stable Diffusion XL need this, whatever their configs say.
 */
export async function openWithinRange(range: VaeRange, open: (float: FloatType) => Promise<Session>): Promise<Session> {
  let isSingle = range.float === 'float32';
  let session = await open(range.float);
  return {
    async run(inputs) {
      const results = await session.run(inputs);
      if (isSingle || Object.values(results).every(isAllFinite)) return results;
      const wider = await open('float32');
      await session.release();
      session = wider;
      isSingle = true;
      range.float = 'float32';
      return session.run(inputs);
    },
    release: () => session.release(),
  };
}

export function encoderSession(session: Session, { scale, shift }: LatentFormat): VaeSession {
  return {
    run: async (image) => mapped(outputOf(await session.run({ image }), 'mean'), (x) => (x - shift) * scale),
    release: () => session.release(),
  };
}

export function decoderSession(session: Session, { scale, shift }: LatentFormat): VaeSession {
  const factor = 1 / scale;
  return {
    run: async (latents) =>
      outputOf(await session.run({ latents: mapped(latents, (x) => x * factor + shift) }), 'image'),
    release: () => session.release(),
  };
}

function outputOf(results: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const output = results[name];
  if (output === undefined) throw new TypeError(`The VAE returned no ${name}.`);
  return output;
}

function mapped({ dims, data }: Tensor, map: (value: number) => number): Tensor {
  return { dims, data: data.map(map) };
}
