// Keyframes that somebody has edited by hand. What they change is carried to all frames along the clip's own correspondences,
// twice: in the latents that the edit begins with, where at every step the keyframes are those of their runs, as they are; and
// as functions of the colour, which the clip's own pixels go through in the end. The latents say which object changes, the
// pixels where its edge is.

import path from 'node:path';
import { exactChange, fitSmoothChange, type LocalChange } from '../../detail/local-change.ts';
import { EditError } from '../../errors.ts';
import { cropTokens, tokenValues } from '../../mask/token-grid.ts';
import type { Size } from '../../media/frame.ts';
import { frameToTensor } from '../../media/pixels.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { planesOfFrame, type RgbPlanes } from '../../media/rgb-planes.ts';
import { padFrame } from '../../media/working-size.ts';
import { subtract, tensor, type Tensor } from '../../tensor/tensor.ts';
import { weightedSum } from '../../tensor/weighted-sum.ts';
import { frameRange, type LatentStore } from '../../tokenflow/latents.ts';
import type { FinishedStep } from '../../tokenflow/steps.ts';
import { carryAlong, tokenGrid, type CarryContext, type CarrySource } from '../correspondences/carry-along.ts';
import { saysNothingNew } from '../plan/edit-defaults.ts';
import { inClipCode } from '../run/model-view.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import { openPictures, readPicture, type GivenPicture } from './given-pictures.ts';

/** Of the functions of the colour, in tokens. Among 0.5, 1, 1.5 and 2, best or nearly so on two sample clips. */
const colourRadius = 1.5;

/** Of a function of the colour: nine gains and three offsets. */
const colourPlanes = 12;

export interface GivenChange {
  /** Adds what the keyframes change to the latents that sampling starts from. */
  begin(start: LatentStore, timestep: number): Promise<void>;
  /** The latents [N, C, h, w] after a step: those of given keyframes are the source's with their change. */
  afterStep(step: FinishedStep, latents: Tensor, below: number | null): Promise<Tensor>;
  /** The clip's latents with the change, from the clip's own. */
  changed(clean: LatentStore): LatentStore;
  /** What the keyframes change in the pixels of a frame of the clip; of a keyframe itself, exactly and at the clip's size. */
  colourAt(frame: number): Promise<LocalChange>;
  /** Whether nothing but the keyframes says what changes: what the network adds to their change is its own error. */
  readonly saysAll: boolean;
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
  const grid = tokenGrid(edit);
  const open = (name: string, dims: readonly number[]) => {
    const layout = { path: path.join(job.workDir, name), frameCount: plan.frameCount, frameDims: dims, slots: 1 };
    return from === null ? LatentFile.openWhole(layout) : LatentFile.create(layout);
  };
  const file = await open('given-change.latents', frameDims);
  const colourFile = await open('given-colours.latents', [colourPlanes, grid.height, grid.width]);
  const [change, colours] = [file.slot(0), colourFile.slot(0)];
  const close = async (): Promise<void> => {
    await file.close();
    await colourFile.close();
  };
  const atScale = async (latents: Tensor, frames: readonly number[], timestep: number | null): Promise<Tensor> => {
    const scale = timestep === null ? 1 : Math.sqrt(sampling.alphaCumprod(timestep));
    return weightedSum(1, latents, scale, await change.read(frames));
  };
  try {
    if (from !== null) {
      const own = await changesOf(edit, pictures, from.clean, rows);
      const inLatents = own.map((latents) => atGrid(latents, grid));
      const inColours: Tensor[] = [];
      for (const picture of pictures) inColours.push(await colourOf(edit, picture, grid));
      const channels = frameDims[0] ?? 0;
      await carryAlong(edit, from, {
        given: pictures.map(({ frame }) => frame),
        valuesOf: (n) => Promise.resolve(stacked(inLatents[n] ?? missing(n), inColours[n] ?? missing(n))),
        store: split(fromGrid(change, plan.latentSize), colours, channels),
      });
      // Exactly, on their own frames.
      for (const [n, row] of rows.entries()) await change.write(row, own[n] ?? missing(n));
      await file.sync();
      await colourFile.sync();
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    saysAll: saysNothingNew(edit.settings),
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
    changed: (clean) => ({
      ...clean,
      async read(frames) {
        return weightedSum(1, await clean.read(frames), 1, await change.read(frames));
      },
    }),
    async colourAt(frame) {
      const picture = pictures.find((one) => one.frame === frame);
      if (picture !== undefined) return exactChange(...(await pairOf(edit, picture, clip.frameSize)));
      const { data } = await colours.read([plan.frames.indexOf(frame)]);
      const { scaled } = plan.size;
      const places = grid.width * grid.height;
      const planes = Array.from({ length: colourPlanes }, (_, k) =>
        cropTokens(data.subarray(k * places, (k + 1) * places), grid, plan.size),
      );
      return { ...scaled, gains: planes.slice(0, 9), offsets: planes.slice(9) };
    },
    close,
  };
}

/** The frame of the clip, and as somebody has edited it, in the codes of the clip. */
async function pairOf(
  { clip, signal }: CarryContext,
  { frame, picture }: GivenPicture,
  size: Size,
): Promise<[RgbPlanes, RgbPlanes]> {
  const source = await readPicture(clip, { index: frame, size, signal });
  const edited = await readPicture(picture, { size, signal });
  return [inClipCode(planesOfFrame(source), clip), inClipCode(planesOfFrame(edited), clip)];
}

/** What a picture changes in the colours of its frame, as the mean [1, 12, h, w] at each token. */
async function colourOf(edit: CarryContext, picture: GivenPicture, grid: Size): Promise<Tensor> {
  const { size } = edit.plan;
  const [source, edited] = await pairOf(edit, picture, size.scaled);
  const radius = Math.max(1, Math.round((colourRadius * size.padded.height) / grid.height));
  const { gains, offsets } = fitSmoothChange(source, edited, radius);
  const out = tensor([1, colourPlanes, grid.height, grid.width]);
  for (const [k, values] of [...gains, ...offsets].entries()) {
    out.data.set(tokenValues({ ...size.scaled, values }, size, grid), k * grid.width * grid.height);
  }
  return out;
}

/** The channels of both, one after the other. */
function stacked({ dims, data }: Tensor, other: Tensor): Tensor {
  const [, channels = 0, height = 0, width = 0] = dims;
  const out = tensor([1, channels + (other.dims[1] ?? 0), height, width]);
  out.data.set(data);
  out.data.set(other.data, data.length);
  return out;
}

/** Takes what `stacked` has stacked: the first `channels` go into `first`, the others into `second`. */
function split(first: LatentStore, second: LatentStore, channels: number): LatentStore {
  return {
    ...first,
    async write(start, { dims, data }) {
      const [count = 0, all = 0, height = 0, width = 0] = dims;
      if (count !== 1) throw new RangeError(`split: takes one frame at a time, got ${count}.`);
      const at = channels * height * width;
      await first.write(start, { dims: [1, channels, height, width], data: data.subarray(0, at) });
      await second.write(start, { dims: [1, all - channels, height, width], data: data.subarray(at) });
    },
  };
}

function missing(n: number): never {
  throw new RangeError(`There is no given keyframe ${n}.`);
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
      const frame = await readPicture(picture, { size: plan.size.scaled, signal });
      const latents = await vae.run(frameToTensor(padFrame(frame, plan.size)));
      changes.push(subtract(latents, await clean.read([rows[n] ?? missing(n)])));
    }
    return changes;
  } finally {
    await vae.release();
  }
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
