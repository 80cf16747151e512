// Masks of single frames, carried to all frames of an edit: coarsely along the clip's correspondences, then to the edges of
// each picture.

import path from 'node:path';
import { addNoise } from '../../diffusion/ddim.ts';
import { sharedNoise } from '../../diffusion/seeded-noise.ts';
import { applyGuidedMask, fitMask } from '../../detail/guided-mask.ts';
import { throwIfCanceled } from '../../errors.ts';
import { cropTokens, tokenValues } from '../../mask/token-grid.ts';
import type { Coverage } from '../../mask/coverage.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import type { Size } from '../../media/frame.ts';
import { frameToTensor } from '../../media/pixels.ts';
import { planesOfFrame } from '../../media/rgb-planes.ts';
import { padFrame } from '../../media/working-size.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { concatRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import { carryValues } from '../../tokenflow/carry-values.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import type { EditContext } from '../run/edit-context.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import type { GivenMask } from './mask-source.ts';
import { inRisingOrder, type MaskReader } from './mask-reader.ts';

/** Of the noise at which features are compared: best of 1, 101, 201 and 301 on the sample clips. */
const featureTimestep = 301;

/** How far the edges of the picture draw a mask, in tokens. */
const reachTokens = 2;

/** How much steeper than the filter's the edge of a mask is: far from it, there must be nothing left. */
const steepness = 4;

export type CarryContext = Pick<
  EditContext,
  'job' | 'settings' | 'clip' | 'plan' | 'signal' | 'model' | 'sampling' | 'denoiser'
>;

export interface CarriedMask {
  /** Of pictures of `size`. */
  reader(size: Size): MaskReader;
  close(): Promise<void>;
}

/** Where a frame's own latents are; null before they are known. */
export interface CarrySource {
  readonly clean: LatentStore;
  readonly conditioning: Conditioning;
}

/** Carries the masks; with `source` null, the carried ones are in the work folder already. */
export async function openCarriedMask(
  edit: CarryContext,
  masks: readonly GivenMask[],
  source: CarrySource | null,
): Promise<CarriedMask> {
  const { plan, job, model, clip, signal } = edit;
  const { frames, frameCount, size: working, latentSize } = plan;
  const tokens = Math.max(...model.unet.tokensPerBlock(latentSize));
  const factor = Math.round(Math.sqrt((latentSize.height * latentSize.width) / tokens));
  const grid = { width: latentSize.width / factor, height: latentSize.height / factor };
  const layout = {
    path: path.join(job.workDir, 'mask-carried.latents'),
    frameCount,
    frameDims: [1, grid.height, grid.width],
    slots: 1,
  };
  const file = await (source === null ? LatentFile.openWhole(layout) : LatentFile.create(layout));
  const carried = file.slot(0);
  try {
    if (source !== null) await carry(edit, masks, source, grid, carried);
  } catch (error) {
    await file.close();
    throw error;
  }

  function reader(size: Size): MaskReader {
    const open = (wanted: Size) => inRisingOrder(decodeFrames(clip, { ...plan, size: wanted, signal }), clip);
    const small = open(working.scaled);
    const isSmall = size.width === working.scaled.width && size.height === working.scaled.height;
    const large = isSmall ? null : open(size);
    const radius = Math.max(1, Math.round((reachTokens * working.padded.height) / grid.height));
    return {
      async at(frame) {
        const guide = planesOfFrame(await small.at(frame));
        const exact = large === null ? guide : planesOfFrame(await large.at(frame));
        const given = masks.find((mask) => mask.frame === frame);
        if (given !== undefined) return given.draw(size);
        const { data } = await carried.read([frames.indexOf(frame)]);
        const fit = fitMask(guide, cropTokens(data, grid, working), radius);
        return { ...size, values: applyGuidedMask(fit, exact).map(steeper) } satisfies Coverage;
      },
      async close() {
        await small.close();
        await large?.close();
      },
    };
  }
  return { reader, close: () => file.close() };
}

function steeper(value: number): number {
  return Math.min(1, Math.max(0, (value - 0.5) * steepness + 0.5));
}

/** The forwards are not counted among those of the edit: an edit that continues could not know them. */
async function carry(
  edit: CarryContext,
  masks: readonly GivenMask[],
  { clean, conditioning }: CarrySource,
  grid: Size,
  carried: LatentStore,
): Promise<void> {
  const { denoiser, plan, sampling, signal } = edit;
  const { frames, size, chunkSize } = plan;
  const { evaluations, onForward } = denoiser;
  const encoded = await encodeOthers(edit, masks);
  const latentsOf = async (wanted: readonly number[]): Promise<Tensor> => {
    const rows = await Promise.all(wanted.map((frame) => encoded.get(frame) ?? clean.read([frames.indexOf(frame)])));
    const latents = concatRows(rows);
    const noise = sharedNoise(1, wanted.length, latents.dims.slice(1));
    return addNoise(latents, noise, featureTimestep, sampling);
  };
  denoiser.onForward = () => throwIfCanceled(signal);
  try {
    const values = carryValues({
      denoiser,
      conditioning,
      timestep: featureTimestep,
      latentsOf,
      given: masks.map(({ frame }) => frame),
      frames,
      chunkSize,
      valuesOf: async (n) => {
        const mask = masks[n];
        if (mask === undefined) throw new RangeError(`There is no mask ${n}.`);
        return tokenValues(await mask.draw(size.scaled), size, grid);
      },
    });
    for await (const { frame, values: found } of values) {
      await carried.write(frames.indexOf(frame), tensor([1, 1, grid.height, grid.width], found));
    }
  } finally {
    denoiser.evaluations = evaluations;
    denoiser.onForward = onForward;
  }
}

/** The latents of frames with a mask that are not edited themselves: outside the range, or between those of a preview. */
async function encodeOthers(
  { clip, plan, model, signal }: CarryContext,
  masks: readonly GivenMask[],
): Promise<ReadonlyMap<number, Tensor>> {
  const others = masks.map(({ frame }) => frame).filter((frame) => !plan.frames.includes(frame));
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
