// Values of a few frames of a clip, carried to all frames of an edit along the clip's correspondences.

import { addNoise } from '../../diffusion/ddim.ts';
import { sharedNoise } from '../../diffusion/seeded-noise.ts';
import { throwIfCanceled } from '../../errors.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import type { Size } from '../../media/frame.ts';
import { frameToTensor } from '../../media/pixels.ts';
import { padFrame } from '../../media/working-size.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { concatRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import { carryValues } from '../../tokenflow/carry-values.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import type { EditContext } from '../run/edit-context.ts';

/** Of the noise at which features are compared: best of 1, 101, 201 and 301 on the sample clips. */
const featureTimestep = 301;

export type CarryContext = Pick<
  EditContext,
  'job' | 'settings' | 'clip' | 'plan' | 'signal' | 'model' | 'sampling' | 'denoiser'
>;

export interface CarrySource {
  /** The latents of the frames that are edited. */
  readonly clean: LatentStore;
  /** Of what the clip shows. */
  readonly conditioning: Conditioning;
}

export interface CarriedFrames {
  /** Frames of the clip, rising. */
  readonly given: readonly number[];
  /** Of the n-th of them: its values [1, C, h, w] at the places of `tokenGrid`. */
  readonly valuesOf: (n: number) => Promise<Tensor>;
  /** Takes the values [1, C, h, w] of each edited frame. */
  readonly store: LatentStore;
}

/** The places that a frame's values have: those of the tokens of the finest transformer blocks. */
export function tokenGrid({ model, plan: { latentSize } }: Pick<CarryContext, 'model' | 'plan'>): Size {
  const tokens = Math.max(...model.unet.tokensPerBlock(latentSize));
  const factor = Math.round(Math.sqrt((latentSize.height * latentSize.width) / tokens));
  return { width: latentSize.width / factor, height: latentSize.height / factor };
}

/** The forwards are not counted among those of the edit: an edit that continues could not know them. */
export async function carryAlong(
  edit: CarryContext,
  { clean, conditioning }: CarrySource,
  { given, valuesOf, store }: CarriedFrames,
): Promise<void> {
  const { denoiser, plan, sampling, signal } = edit;
  const { frames, chunkSize } = plan;
  const grid = tokenGrid(edit);
  const { evaluations, onForward } = denoiser;
  const encoded = await encodeOthers(edit, given);
  const latentsOf = async (wanted: readonly number[]): Promise<Tensor> => {
    const rows: Tensor[] = [];
    for (const frame of wanted) rows.push(encoded.get(frame) ?? (await clean.read([frames.indexOf(frame)])));
    const latents = concatRows(rows);
    const noise = sharedNoise(1, wanted.length, latents.dims.slice(1));
    return addNoise(latents, noise, featureTimestep, sampling);
  };
  denoiser.onForward = () => throwIfCanceled(signal);
  try {
    const carried = carryValues({
      ...{ denoiser, conditioning, latentsOf, given, frames, chunkSize },
      timestep: featureTimestep,
      valuesOf: async (n) => (await valuesOf(n)).data,
    });
    for await (const { frame, values } of carried) {
      const channels = values.length / (grid.width * grid.height);
      await store.write(frames.indexOf(frame), tensor([1, channels, grid.height, grid.width], values));
    }
  } finally {
    denoiser.evaluations = evaluations;
    denoiser.onForward = onForward;
  }
}

/** The latents of given frames that are not edited themselves: outside the range, or between those of a preview. */
async function encodeOthers(
  { clip, plan, model, signal }: CarryContext,
  given: readonly number[],
): Promise<ReadonlyMap<number, Tensor>> {
  const others = given.filter((frame) => !plan.frames.includes(frame));
  const encoded = new Map<number, Tensor>();
  if (others.length === 0) return encoded;
  const vae = await model.openEncoder(plan.latentSize);
  try {
    for (const startFrame of others) {
      const range = { startFrame, endFrame: startFrame + 1, size: plan.size.scaled, signal };
      for await (const frame of decodeFrames(clip, range)) {
        encoded.set(startFrame, await vae.run(frameToTensor(padFrame(frame, plan.size))));
      }
    }
  } finally {
    await vae.release();
  }
  return encoded;
}
