// Where an edit may change its clip: weights of the latents, kept in the work folder, and masks of the pictures.

import path from 'node:path';
import { latentWeights } from '../../mask/apply-mask.ts';
import type { Coverage } from '../../mask/coverage.ts';
import { scaleEdge, shapeEdge } from '../../mask/edge.ts';
import type { Size } from '../../media/frame.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { frameRange } from '../../tokenflow/latents.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import type { CarryContext, CarrySource } from '../correspondences/carry-along.ts';
import { openCarriedMask } from './carried-mask.ts';
import type { CoarseMask } from './coarse-mask.ts';
import { openWordMask } from './word-mask.ts';
import { openMaskSource, type MaskSource } from './mask-source.ts';
import { readHeld, readMatte, type MaskReader } from './mask-reader.ts';

export interface EditMask {
  /** Weights [N, 1, h, w] of the latents of edited frames. */
  weightsOf(frames: readonly number[]): Promise<Tensor>;
  /** The finished masks of pictures of `size`, asked for by the clip's frames in rising order. */
  reader(size: Size): MaskReader;
  /** The share of the picture that the edit may change, 0..1: the mean of the latents' weights. */
  share(): Promise<number>;
  close(): Promise<void>;
}

/**
 * The mask that the settings name; null where they name none. Throws what `openMaskSource` throws.
 * @param from null when all is in the work folder already
 */
export async function openEditMask(edit: CarryContext, from: CarrySource | null): Promise<EditMask | null> {
  const { job, settings, clip, plan, signal } = edit;
  const { mask } = settings;
  if (mask === undefined) return null;
  const { startFrame, endFrame, frameCount, frames, latentSize } = plan;
  const source = await openMaskSource({ mask, clip, mattePath: job.mattePath ?? null, endFrame, signal });
  const coarse = await openCoarse(edit, source, from);
  const read = (size: Size): MaskReader => {
    if (coarse !== null) return coarse.reader(size);
    if (source.kind === 'frames') return readMatte(source, { startFrame, endFrame }, size, signal);
    return readHeld(source.kind === 'given' ? source.masks : [], size);
  };
  const reader = (size: Size): MaskReader => {
    const raw = read(size);
    const edge = scaleEdge(mask, size.height / clip.frameSize.height);
    // A mask that stays is shaped once.
    let [given, shaped]: [Coverage | undefined, Coverage | undefined] = [undefined, undefined];
    return {
      async at(frame) {
        const coverage = await raw.at(frame);
        if (coverage !== given || shaped === undefined) [given, shaped] = [coverage, shapeEdge(coverage, edge)];
        return shaped;
      },
      close: () => raw.close(),
    };
  };
  const layout = {
    path: path.join(job.workDir, 'mask.latents'),
    frameCount,
    frameDims: [1, latentSize.height, latentSize.width],
    slots: 1,
  };
  const file = await (from === null ? LatentFile.openWhole(layout) : LatentFile.create(layout));
  const weights = file.slot(0);
  const close = async (): Promise<void> => {
    await file.close();
    await coarse?.close();
  };
  try {
    if (from !== null) {
      const dims = [1, ...layout.frameDims];
      await forEachMask(reader(plan.size.scaled), frames, async (coverage, row) => {
        await weights.write(row, tensor(dims, latentWeights(coverage, plan.size, latentSize)));
      });
      await file.sync();
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    weightsOf: (wanted) => weights.read(wanted),
    reader,
    async share() {
      let sum = 0;
      for (const row of frameRange(0, frameCount)) {
        const { data } = await weights.read([row]);
        sum += data.reduce((total, value) => total + value, 0) / data.length;
      }
      return sum / frameCount;
    },
    close,
  };
}

/** null for a mask that is known in the pixels of every frame. */
async function openCoarse(
  edit: CarryContext,
  source: MaskSource,
  from: CarrySource | null,
): Promise<CoarseMask | null> {
  if (source.kind === 'words') return openWordMask(edit, source.words, from);
  const follows = source.kind === 'given' && edit.settings.mask?.follows === true;
  return follows ? openCarriedMask(edit, source.masks, from) : null;
}

async function forEachMask(
  reader: MaskReader,
  frames: readonly number[],
  visit: (coverage: Coverage, row: number) => Promise<void>,
): Promise<void> {
  try {
    for (const [row, frame] of frames.entries()) await visit(await reader.at(frame), row);
  } finally {
    await reader.close();
  }
}
