// Masks of single frames, carried to all frames of an edit: coarsely along the clip's correspondences, then to the edges of
// each picture.

import path from 'node:path';
import { applyGuidedMask, fitMask } from '../../detail/guided-mask.ts';
import { cropTokens, tokenValues } from '../../mask/token-grid.ts';
import type { Coverage } from '../../mask/coverage.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import type { Size } from '../../media/frame.ts';
import { planesOfFrame } from '../../media/rgb-planes.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { carryAlong, tokenGrid, type CarryContext, type CarrySource } from '../correspondences/carry-along.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import type { GivenMask } from './given-mask.ts';
import { inRisingOrder, type MaskReader } from './mask-reader.ts';

/** How far the edges of the picture draw a mask, in tokens. */
const reachTokens = 2;

/** How much steeper than the filter's the edge of a mask is: far from it, there must be nothing left. */
const steepness = 4;

export interface CarriedMask {
  /** Of pictures of `size`. */
  reader(size: Size): MaskReader;
  close(): Promise<void>;
}

/** Carries the masks; with `source` null, the carried ones are in the work folder already. */
export async function openCarriedMask(
  edit: CarryContext,
  masks: readonly GivenMask[],
  source: CarrySource | null,
): Promise<CarriedMask> {
  const { plan, job, clip, signal } = edit;
  const { frames, frameCount, size: working } = plan;
  const grid = tokenGrid(edit);
  const layout = {
    path: path.join(job.workDir, 'mask-carried.latents'),
    frameCount,
    frameDims: [1, grid.height, grid.width],
    slots: 1,
  };
  const file = await (source === null ? LatentFile.openWhole(layout) : LatentFile.create(layout));
  const carried = file.slot(0);
  try {
    if (source !== null) {
      const valuesOf = async (n: number): Promise<Tensor> => {
        const mask = masks[n];
        if (mask === undefined) throw new RangeError(`There is no mask ${n}.`);
        const values = tokenValues(await mask.draw(working.scaled), working, grid);
        return tensor([1, ...layout.frameDims], values);
      };
      await carryAlong(edit, source, { given: masks.map(({ frame }) => frame), valuesOf, store: carried });
    }
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
