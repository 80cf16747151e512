// How ffmpeg is told to read just the wanted frames of a clip, exactly, and to turn them into upright pictures. Pure.

import type { ClipInfo } from './clip-info.ts';
import { isRgb, scaleMatrix } from './colour.ts';
import type { Size } from './frame.ts';
import { planSourceFrames } from './frame-times.ts';

export interface ReadingPlan {
  /** Options before `-i`: where to start. */
  readonly seek: readonly string[];
  /** The first filters: which stored frames to drop. */
  readonly select: readonly string[];
  /** The stored frame that fills each wanted place. */
  readonly wanted: readonly number[];
}

/** How much earlier than needed to start reading, so that an inexact index cannot land after the first frame. */
const seekMarginSeconds = 1;

/** The last filters: frames are renumbered on an even grid, so that ffmpeg neither drops nor doubles one in any version. */
export const gridRate = '25';
export const evenGrid: readonly string[] = [`settb=1/${gridRate}`, 'setpts=N'];

/** Plans to read the frames `startFrame`..`endFrame` of the clip at its constant rate. */
export function planReading(clip: ClipInfo, startFrame: number, endFrame: number): ReadingPlan {
  const { frameTimes: times } = clip;
  if (times === null) {
    const wanted = Array.from({ length: endFrame - startFrame }, (_, i) => startFrame + i);
    const select = startFrame === 0 ? [] : [`select='gte(n,${startFrame})'`];
    return { seek: [], select, wanted };
  }
  const wanted = planSourceFrames(times, clip.frameRate, startFrame, endFrame);
  const first = wanted[0] ?? 0;
  if (first === 0) return { seek: [], select: [], wanted };
  const firstTime = times[first] ?? 0;
  const between = (firstTime + (times[first - 1] ?? firstTime)) / 2;
  const seekSeconds = between - clip.fileStartSeconds - seekMarginSeconds;
  const seek = seekSeconds > 0 ? ['-noaccurate_seek', '-ss', seekSeconds.toFixed(6)] : [];
  return { seek: [...seek, '-copyts'], select: [`select='gte(t,${between.toFixed(6)})'`], wanted };
}

/** Filters for pictures of `size` with full range, by the clip's own matrix. `scaleOptions`: more of the scale filter. */
export function uprightPictures(clip: ClipInfo, size: Size, scaleOptions = ''): readonly string[] {
  const matrix = isRgb(clip.pixelFormat)
    ? ''
    : `:in_color_matrix=${scaleMatrix(clip.colour, clip.frameSize)}`;
  const range = clip.colour.range === null ? '' : `:in_range=${clip.colour.range}`;
  return [
    ...(clip.interlaced ? ['yadif'] : []),
    `scale=${size.width}:${size.height}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp${matrix}${range}:out_range=pc${scaleOptions}`,
  ];
}
