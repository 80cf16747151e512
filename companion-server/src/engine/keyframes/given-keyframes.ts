// Keyframes that somebody has edited by hand. What they change in the latents of their frames is carried to all frames along
// the clip's own correspondences, and the edit begins there; at every step they are the keyframes of their runs, as they are.

import path from 'node:path';
import { EditError } from '../../errors.ts';
import { coverageOfAlpha } from '../../mask/coverage.ts';
import { decodeFrames, decodePlanes } from '../../media/decode/frames.ts';
import type { Rgb24Frame, Size } from '../../media/frame.ts';
import { frameToTensor } from '../../media/pixels.ts';
import { planeFormatOf } from '../../media/planes.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { padFrame } from '../../media/working-size.ts';
import { subtract, tensor, type Tensor } from '../../tensor/tensor.ts';
import { weightedSum } from '../../tensor/weighted-sum.ts';
import { frameRange, type LatentStore } from '../../tokenflow/latents.ts';
import type { FinishedStep } from '../../tokenflow/steps.ts';
import { carryAlong, tokenGrid, type CarryContext, type CarrySource } from '../correspondences/carry-along.ts';
import { LatentFile } from '../source-cache/latent-file.ts';

/** Largest difference of two shapes of pictures, as a ratio, that rounding to pixels explains. */
const sameShape = 1.02;

export interface GivenChange {
  /** Adds what the keyframes change to the latents that sampling starts from. */
  begin(start: LatentStore, timestep: number): Promise<void>;
  /** The latents [N, C, h, w] after a step: those of given keyframes are the source's with their change. */
  afterStep(step: FinishedStep, latents: Tensor, below: number | null): Promise<Tensor>;
  /** About pictures that had to be fitted. */
  readonly notices: readonly string[];
  close(): Promise<void>;
}

/**
 * null where the job has none. Throws EditError('invalid-request') for a frame outside the edit, a picture of another shape
 * or with transparent pixels.
 * @param from null when the change is in the work folder already
 */
export async function openGivenKeyframes(edit: CarryContext, from: CarrySource | null): Promise<GivenChange | null> {
  const { job, plan, clip, model, sampling, signal } = edit;
  const { keyframePaths = [] } = job;
  if (keyframePaths.length === 0) return null;
  const pictures = await openPictures(keyframePaths, clip, signal);
  const rows = pictures.map(({ frame }) => rowOf(frame, plan.frames, clip));
  const { height, width } = plan.latentSize;
  const frameDims = [model.unet.latentChannels, height, width];
  const layout = {
    path: path.join(job.workDir, 'given-change.latents'),
    frameCount: plan.frameCount,
    frameDims,
    slots: 1,
  };
  const file = await (from === null ? LatentFile.openWhole(layout) : LatentFile.create(layout));
  const change = file.slot(0);
  const atScale = async (latents: Tensor, frames: readonly number[], timestep: number | null): Promise<Tensor> => {
    const scale = timestep === null ? 1 : Math.sqrt(sampling.alphaCumprod(timestep));
    return weightedSum(1, latents, scale, await change.read(frames));
  };
  try {
    if (from !== null) {
      const own = await changesOf(edit, pictures, from.clean, rows);
      await carryAlong(edit, from, {
        given: pictures.map(({ frame }) => frame),
        valuesOf: (n) => Promise.resolve(atGrid(own[n] ?? missing(n), tokenGrid(edit))),
        store: fromGrid(change, plan.latentSize),
      });
      // Exactly, on their own frames.
      for (const [n, row] of rows.entries()) await change.write(row, own[n] ?? missing(n));
      await file.sync();
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    notices: pictures.flatMap(({ notice }) => notice ?? []),
    async begin(start, timestep) {
      for (let first = 0; first < plan.frameCount; first += plan.chunkSize) {
        const frames = frameRange(first, Math.min(first + plan.chunkSize, plan.frameCount));
        await start.write(first, await atScale(await start.read(frames), frames, timestep));
      }
    },
    async afterStep(step, latents, below) {
      const given = step.frames.filter((frame) => rows.includes(frame));
      if (given.length === 0) return latents;
      const fixed = await atScale(await step.source(), step.frames, below);
      const size = latents.data.length / step.frames.length;
      const data = latents.data.slice();
      for (const [n, frame] of step.frames.entries()) {
        if (given.includes(frame)) data.set(fixed.data.subarray(n * size, (n + 1) * size), n * size);
      }
      return { dims: latents.dims, data };
    },
    close: () => file.close(),
  };
}

function missing(n: number): never {
  throw new RangeError(`There is no given keyframe ${n}.`);
}

interface GivenPicture {
  readonly frame: number;
  readonly picture: ClipInfo;
  readonly notice: string | null;
}

async function openPictures(
  paths: readonly { readonly frame: number; readonly path: string }[],
  clip: ClipInfo,
  signal: AbortSignal | undefined,
): Promise<readonly GivenPicture[]> {
  const pictures: GivenPicture[] = [];
  for (const { frame, path: file } of [...paths].sort((a, b) => a.frame - b.frame)) {
    const picture = await probeClip(file, signal);
    await requireOpaque(picture, frame, signal);
    pictures.push({ frame, picture, notice: fitNotice(frame, picture, clip) });
  }
  return pictures;
}

/** What is said of a picture of another size. Throws for one of another shape. */
function fitNotice(frame: number, { displaySize: own }: ClipInfo, { displaySize: clip }: ClipInfo): string | null {
  if (own.width === clip.width && own.height === clip.height) return null;
  const sizes = `${own.width} x ${own.height}; the clip is ${clip.width} x ${clip.height}`;
  const ratio = (own.width * clip.height) / (own.height * clip.width);
  if (Math.max(ratio, 1 / ratio) <= sameShape) return `The keyframe of frame ${frame} is ${sizes}. It was scaled.`;
  throw new EditError('invalid-request', `The keyframe of frame ${frame} has another shape: it is ${sizes}.`, {
    hint: 'Export the frame again, and keep its size.',
  });
}

async function requireOpaque(picture: ClipInfo, frame: number, signal: AbortSignal | undefined): Promise<void> {
  if (!planeFormatOf(picture.pixelFormat, picture.bitDepth).hasAlpha) return;
  for await (const planes of decodePlanes(picture, { endFrame: 1, signal })) {
    if (coverageOfAlpha(planes).values.every((value) => value === 1)) return;
  }
  throw new EditError('invalid-request', `The keyframe of frame ${frame} has transparent pixels.`, {
    hint: 'Flatten the picture, and give it again.',
  });
}

/** The frame's row among those that are edited. */
function rowOf(frame: number, frames: readonly number[], { frameCount }: ClipInfo): number {
  const row = frames.indexOf(frame);
  if (row >= 0) return row;
  const rule =
    frame >= frameCount
      ? `the clip has ${frameCount} frames, 0 to ${frameCount - 1}`
      : `the edit has the frames ${frames[0] ?? 0} to ${frames.at(-1) ?? 0}`;
  throw new EditError('invalid-request', `A keyframe is given for frame ${frame}; ${rule}.`);
}

/** What each picture changes in the latents of its frame, [1, C, h, w]. */
async function changesOf(
  { model, plan, signal }: CarryContext,
  pictures: readonly GivenPicture[],
  clean: LatentStore,
  rows: readonly number[],
): Promise<readonly Tensor[]> {
  const vae = await model.openEncoder(plan.latentSize);
  try {
    const changes: Tensor[] = [];
    for (const [n, { picture }] of pictures.entries()) {
      const frame = await firstFrame(picture, plan.size.scaled, signal);
      const latents = await vae.run(frameToTensor(padFrame(frame, plan.size)));
      changes.push(subtract(latents, await clean.read([rows[n] ?? missing(n)])));
    }
    return changes;
  } finally {
    await vae.release();
  }
}

async function firstFrame(picture: ClipInfo, size: Size, signal: AbortSignal | undefined): Promise<Rgb24Frame> {
  for await (const frame of decodeFrames(picture, { endFrame: 1, size, signal })) return frame;
  throw new EditError('clip-unreadable', `"${picture.path}" has no picture.`);
}

/** [1, C, h, w] -> the mean at each place of a grid that is as fine or coarser by a whole factor. */
function atGrid({ dims, data }: Tensor, grid: Size): Tensor {
  const [, channels = 0, height = 0, width = 0] = dims;
  const factor = width / grid.width;
  const out = tensor([1, channels, grid.height, grid.width]);
  for (const [i, value] of data.entries()) {
    const [x, y, c] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
    const at = (c * grid.height + Math.floor(y / factor)) * grid.width + Math.floor(x / factor);
    out.data[at] = (out.data[at] ?? 0) + value / factor ** 2;
  }
  return out;
}

/** Takes values of the grid for a store of latents. */
function fromGrid(store: LatentStore, { height, width }: Size): LatentStore {
  return {
    ...store,
    async write(start, { dims, data }) {
      const [count = 0, channels = 0, rows = 0, columns = 0] = dims;
      const factor = width / columns;
      const out = tensor([count, channels, height, width]);
      for (let i = 0; i < out.data.length; i++) {
        const [x, y, plane] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
        out.data[i] = data[(plane * rows + Math.floor(y / factor)) * columns + Math.floor(x / factor)] ?? 0;
      }
      await store.write(start, out);
    },
  };
}
