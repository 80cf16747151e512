// Reads the pictures of a clip, one after the other, never more than a few at a time.

import { PassThrough } from 'node:stream';
import { EditError, throwIfCanceled } from '../errors.ts';
import type { ClipInfo } from './clip-info.ts';
import { overtime } from './ffmpeg-error.ts';
import { startFfmpeg } from './ffmpeg.ts';
import type { Frame, Size } from './frame.ts';
import { fileUrl, guardedDecodeOptions } from './input-guard.ts';
import { evenGrid, gridRate, planReading, uprightPictures } from './reading-plan.ts';

export interface DecodeOptions {
  /** First frame, 0-based. Default 0. */
  readonly startFrame?: number;
  /** The frame to stop before. Default the clip's frame count. */
  readonly endFrame?: number;
  /** Size of the frames; null or left out for the clip's `displaySize` (upright, square pixels). */
  readonly size?: Size | null;
  readonly signal?: AbortSignal | undefined;
}

/** How long ffmpeg may take for the next picture. What the reader takes does not count. */
const stallMs = 60_000;

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
    inputs: [{ source: fileUrl(clip.path), options: [...guardedDecodeOptions, ...seek] }],
    outputOptions: [
      ...[
        '-map',
        `0:${clip.streamIndex}`,
        '-vf',
        [...select, ...uprightPictures(clip, size), ...evenGrid].join(','),
      ],
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
    const onStall = () => void run.stop(overtime(clip.path, stallMs));
    const chunks = withinTime(output, stallMs, onStall);
    for await (const rgb of splitBytes(chunks, size.width * size.height * 3)) {
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

/** The same pieces; `onStall` is called when one is waited for longer than `limitMs`. */
async function* withinTime(
  source: AsyncIterable<Buffer>,
  limitMs: number,
  onStall: () => void,
): AsyncGenerator<Buffer> {
  let timer = setTimeout(onStall, limitMs);
  try {
    for await (const piece of source) {
      clearTimeout(timer);
      yield piece;
      timer = setTimeout(onStall, limitMs);
    }
  } finally {
    clearTimeout(timer);
  }
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
