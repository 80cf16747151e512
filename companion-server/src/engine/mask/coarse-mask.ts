// Masks that are known at the tokens of each frame, kept in the work folder, and brought to the edges of each picture.

import path from 'node:path';
import { applyGuidedMask, fitMask } from '../../detail/guided-mask.ts';
import { cropTokens } from '../../mask/token-grid.ts';
import type { Coverage } from '../../mask/coverage.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import type { Size } from '../../media/frame.ts';
import { planesOfFrame } from '../../media/rgb-planes.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import { tokenGrid, type CarryContext } from '../correspondences/carry-along.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import { inRisingOrder, type MaskReader } from './mask-reader.ts';

/** How far the edges of the picture draw a mask, in tokens. */
const reachTokens = 2;

/** How much steeper than the filter's the edge of a mask is: far from it, there must be nothing left. */
const steepness = 4;

export interface CoarseMask {
  /** Of pictures of `size`. */
  reader(size: Size): MaskReader;
  close(): Promise<void>;
}

export interface CoarseMaskOptions {
  /** Of the file in the work folder. */
  readonly name: string;
  /** Writes the values [N, 1, h, w] of each edited frame, 0..1, at the places of `tokenGrid`; null where the file has them. */
  readonly fill: ((store: LatentStore) => Promise<void>) | null;
  /** The mask of a frame that is known exactly; undefined for others. */
  readonly exact?: (frame: number, size: Size) => Promise<Coverage> | undefined;
}

export async function openCoarseMask(
  edit: CarryContext,
  { name, fill, exact = () => undefined }: CoarseMaskOptions,
): Promise<CoarseMask> {
  const { plan, job, clip, signal } = edit;
  const { frames, frameCount, size: working } = plan;
  const grid = tokenGrid(edit);
  const layout = {
    path: path.join(job.workDir, name),
    frameCount,
    frameDims: [1, grid.height, grid.width],
    slots: 1,
  };
  const file = await (fill === null ? LatentFile.openWhole(layout) : LatentFile.create(layout));
  const values = file.slot(0);
  try {
    await fill?.(values);
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
        const picture = large === null ? guide : planesOfFrame(await large.at(frame));
        const known = exact(frame, size);
        if (known !== undefined) return known;
        const { data } = await values.read([frames.indexOf(frame)]);
        const fit = fitMask(guide, cropTokens(data, grid, working), radius);
        return { ...size, values: applyGuidedMask(fit, picture).map(steeper) } satisfies Coverage;
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
