// The arguments with which ffmpeg reads exactly the wanted frames of a clip and turns them into upright pictures. Pure.

import type { ClipInfo } from '../probe/clip-info.ts';
import { isRgb, scaleMatrix, storedRange } from '../colour.ts';
import type { Size } from '../frame.ts';
import { byteLength, type PlaneFormat } from '../planes.ts';

/** One way to get at a stored frame. */
export interface ReadingPlan {
  /** Options before `-i`: where to start. */
  readonly seek: readonly string[];
  /** The first filters: they log the time of every decoded frame, drop those before, and make them progressive. */
  readonly select: readonly string[];
}

/** What a picture is turned into. */
export interface PictureLayout {
  /** The last filters before the even grid. */
  readonly filters: readonly string[];
  /** ffmpeg's name of what `bytes` hold. */
  readonly pixelFormat: string;
  /** Of a picture. */
  readonly byteLength: number;
}

/** Where the frames that are passed on begin. */
export interface ReadingStart {
  /** Ways to get there, the fastest first. The last one begins with the file, and does not depend on any index. */
  readonly plans: readonly ReadingPlan[];
  /** Frames at this time or later are passed on, in seconds of the file's clock; null where the file gives no times. */
  readonly fromSeconds: number | null;
}

/**
 * How much before a keyframe to begin, in seconds. A container without an index is searched by the times of packets, which
 * ends somewhere near; the decoder then waits for the next keyframe. The larger one is for keyframes that are none.
 */
const seekMargins = { near: 1, far: 10 } as const;

/** The last filters: frames are renumbered on an even grid, so that ffmpeg neither drops nor doubles one in any version. */
export const gridRate = '25';
export const evenGrid: readonly string[] = [`settb=1/${gridRate}`, 'setpts=N'];

/** Writes to the log when each frame is shown, in microseconds; `frameTimeIn` reads it. */
const tellTimes = ['settb=AVTB', 'showinfo=checksum=0'];

/** The time of a decoded frame, in seconds, in a line of ffmpeg's log; undefined for other lines. */
export function frameTimeIn(logLine: string): number | undefined {
  const match = /^\[Parsed_showinfo_\d+ @ [^\]]*\] \[info\] n: *\d+ pts: *(-?\d+|NOPTS) /.exec(logLine);
  if (match === null) return undefined;
  return match[1] === 'NOPTS' ? Number.NaN : Number(match[1]) / 1e6;
}

/** Plans to read from the stored frame `first` on. */
export function planReading(clip: ClipInfo, first: number): ReadingStart {
  // A deinterlacer looks at the frame before.
  const lead = clip.interlaced && first > 0 ? 1 : 0;
  const deinterlace = clip.interlaced ? ['yadif'] : [];
  const { frameTimes: times } = clip;
  if (times === null) {
    const from = (count: number) => (count === 0 ? [] : [`select='gte(n,${count})'`]);
    const select = [...tellTimes, ...from(first - lead), ...deinterlace, ...from(lead)];
    return { plans: [{ seek: [], select }], fromSeconds: null };
  }
  const fromSeconds = boundary(times, first);
  const from = (seconds: number) => (seconds === -Infinity ? [] : [`select='gte(t,${seconds.toFixed(6)})'`]);
  const select = [
    ...tellTimes,
    ...from(boundary(times, first - lead)),
    ...deinterlace,
    ...(lead === 0 ? [] : from(fromSeconds)),
  ];
  const starts = seekTimes(clip, times[first - lead] ?? 0);
  const plans = [...starts.map((seconds) => seekTo(clip, seconds)), []].map((seek) => ({
    seek: [...seek, '-copyts'],
    select,
  }));
  return { plans, fromSeconds };
}

/** Half way from the frame before `index` to it. */
function boundary(times: Float64Array, index: number): number {
  const [before, time] = [times[index - 1], times[index]];
  return before === undefined || time === undefined ? -Infinity : (before + time) / 2;
}

/** Places to begin at for the frame shown at `time`, in seconds of the file's clock. */
function seekTimes({ keyframeTimes, isIndexed, frameTimes }: ClipInfo, time: number): number[] {
  const start = frameTimes?.[0] ?? 0;
  const keyframe = keyframeTimes.findLast((keyTime) => keyTime <= time) ?? start;
  const { near, far } = seekMargins;
  const places = [...(isIndexed ? [keyframe] : []), keyframe - near, keyframe - far];
  return places.filter((place) => place > start);
}

function seekTo({ fileStartSeconds }: ClipInfo, seconds: number): string[] {
  const place = seconds - fileStartSeconds;
  return place > 0 ? ['-noaccurate_seek', '-ss', place.toFixed(6)] : [];
}

/** RGB of `size` with full range, by the clip's own matrix: of 16 bits where it is still to be tone-mapped, else of 8. */
export function rgbLayout(clip: ClipInfo, size: Size): PictureLayout {
  const matrix = isRgb(clip.pixelFormat) ? '' : `:in_color_matrix=${scaleMatrix(clip.colour, clip.frameSize)}`;
  const range = clip.colour.range === null ? '' : `:in_range=${clip.colour.range}`;
  const { width, height } = size;
  const scaling = `scale=${width}:${height}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp${matrix}${range}:out_range=pc`;
  const length = width * height * 3;
  return clip.toneMapping === undefined
    ? { filters: [scaling], pixelFormat: 'rgb24', byteLength: length }
    : { filters: [scaling], pixelFormat: 'rgb48le', byteLength: 2 * length };
}

/** swscale has no exact way from a palette or from few bits to planes, but one to packed colours of 8 bits. */
function unpack(pixelFormat: string): string[] {
  if (pixelFormat === 'pal8') return ['format=bgra'];
  return /^(rgb|bgr)(565|555|444|8$|4$|4_)/.test(pixelFormat) ? ['format=rgb24'] : [];
}

/** The clip's own planes, upright, at its own size and in its own range. */
export function planeLayout(clip: ClipInfo, format: PlaneFormat): PictureLayout {
  const range = storedRange(clip);
  const kept = `scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp:in_range=${range}:out_range=${range}`;
  return {
    filters: [...unpack(clip.pixelFormat), kept, `format=${format.name}`],
    pixelFormat: format.name,
    byteLength: byteLength(format, clip.frameSize),
  };
}
