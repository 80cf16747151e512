// Reads the pictures of a clip, one after the other, never more than a few at a time.

import { PassThrough } from 'node:stream';
import { EditError, throwIfCanceled } from '../errors.ts';
import type { ClipInfo } from './clip-info.ts';
import { isRgb, scaleMatrix } from './colour.ts';
import { startFfmpeg } from './ffmpeg.ts';
import type { Frame, Size } from './frame.ts';
import { planSourceFrames } from './frame-times.ts';
import { fileUrl, guardedInputOptions, maxPixels } from './input-guard.ts';

export interface DecodeOptions {
  /** First frame, 0-based. Default 0. */
  readonly startFrame?: number;
  /** The frame to stop before. Default the clip's frame count. */
  readonly endFrame?: number;
  /** Size of the frames; null or left out for the clip's `displaySize` (upright, square pixels). */
  readonly size?: Size | null;
  readonly signal?: AbortSignal | undefined;
}

/** How much earlier than needed to start reading, so that an inexact index cannot land after the first frame. */
const seekMarginSeconds = 1;

/**
 * The frames `startFrame`..`endFrame` of the clip at its constant rate, upright, converted to full-range RGB with
 * the clip's own matrix, scaled by Lanczos where `size` differs. ffmpeg waits while the consumer works; leaving the
 * loop early ends it. Throws EditError `invalid-request` for a range outside the clip, `clip-unreadable` when the
 * file yields another number of frames than promised; CanceledError.
 */
export async function* decodeFrames(
  clip: ClipInfo,
  options: DecodeOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const { startFrame = 0, endFrame = clip.frameCount, signal } = options;
  const size = options.size ?? clip.displaySize;
  checkRange(clip, startFrame, endFrame);
  const { seek, select, wanted } = planReading(clip, startFrame, endFrame);
  const readsToEnd = endFrame === clip.frameCount;
  // emitClose off: fluent-ffmpeg takes a closed output for a lost reader.
  const output = new PassThrough({ emitClose: false, autoDestroy: false });
  const run = await startFfmpeg({
    inputs: [
      {
        source: fileUrl(clip.path),
        options: [...guardedInputOptions, '-max_pixels', String(maxPixels), ...seek],
      },
    ],
    outputOptions: [
      ...['-map', `0:${clip.streamIndex}`, '-vf', [...select, ...filters(clip, size)].join(',')],
      ...['-r', gridRate, '-f', 'rawvideo', '-pix_fmt', 'rgb24'],
    ],
    output,
    purpose: 'read',
    file: clip.path,
    signal,
  });
  run.done.catch((error: unknown) => output.destroy(error as Error));
  try {
    let stored = wanted[0] ?? 0;
    let next = 0;
    for await (const rgb of splitBytes(output, size.width * size.height * 3)) {
      // One stored frame fills several places of the constant rate, or none.
      for (let copies = 0; wanted[next] === stored; next++, copies++) {
        const pixels = copies === 0 ? rgb : rgb.slice();
        yield { index: startFrame + next, ...size, rgb: pixels };
      }
      stored++;
      if (next === wanted.length && !readsToEnd) break;
    }
    if (next < wanted.length || readsToEnd) await run.done;
    const storedInAll = clip.frameTimes?.length ?? clip.frameCount;
    if (next < wanted.length || (readsToEnd && stored !== storedInAll)) {
      throw miscounted(clip, stored, storedInAll);
    }
    throwIfCanceled(signal);
  } finally {
    await run.stop();
  }
}

function miscounted(clip: ClipInfo, found: number, expected: number): EditError {
  return new EditError(
    'clip-unreadable',
    `"${clip.path}" was found to have ${expected} frames, but ${found} could be read.`,
    { hint: 'The file is damaged: copy or export the clip again.' },
  );
}

/** Frames are renumbered on an even grid, so that ffmpeg neither drops nor doubles one in any version. */
const gridRate = '25';

function filters(clip: ClipInfo, size: Size): string[] {
  const matrix = isRgb(clip.pixelFormat)
    ? ''
    : `:in_color_matrix=${scaleMatrix(clip.colour, clip.frameSize)}`;
  const range = clip.colour.range === null ? '' : `:in_range=${clip.colour.range}`;
  return [
    ...(clip.interlaced ? ['yadif'] : []),
    `scale=${size.width}:${size.height}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp${matrix}${range}:out_range=pc`,
    `settb=1/${gridRate}`,
    'setpts=N',
  ];
}

/** Where to start reading, which stored frames to take, and which of them fills each wanted place. */
function planReading(clip: ClipInfo, startFrame: number, endFrame: number) {
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

function checkRange(clip: ClipInfo, startFrame: number, endFrame: number): void {
  const isInside =
    Number.isInteger(startFrame) &&
    Number.isInteger(endFrame) &&
    startFrame >= 0 &&
    startFrame < endFrame &&
    endFrame <= clip.frameCount;
  if (isInside) return;
  throw new EditError(
    'invalid-request',
    `Frames ${startFrame} to ${endFrame} are not a range of the clip, which has ${clip.frameCount} frames.`,
    { hint: 'Choose an in point before the out point, both inside the clip.' },
  );
}

/** Cuts a byte stream into pieces of `size` bytes, each newly allocated. An incomplete last piece is dropped. */
async function* splitBytes(
  source: AsyncIterable<Buffer>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length;) {
      const taken = Math.min(size - filled, chunk.length - offset);
      piece.set(chunk.subarray(offset, offset + taken), filled);
      filled += taken;
      offset += taken;
      if (filled === size) {
        yield piece;
        piece = new Uint8Array(size);
        filled = 0;
      }
    }
  }
}
