// Reads the pictures of a clip, one after the other, never more than a few at a time.

import { EditError, throwIfCanceled } from '../../errors.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import type { Rgb24Frame, Size } from '../frame.ts';
import { planSourceFrames } from '../probe/frame-times.ts';
import { fillGaps, Gaps } from '../probe/picture-gaps.ts';
import { planeFormatOf, toPlanes, type PlanarFrame } from '../planes.ts';
import { readStored } from '../probe/stored-pictures.ts';
import { toStandardRange } from '../tone-mapping.ts';
import { planeLayout, rgbLayout, type PictureLayout } from './reading-plan.ts';

export interface DecodeOptions {
  /** First frame, 0-based. Default 0. */
  readonly startFrame?: number;
  /** The frame to stop before. Default the clip's frame count. */
  readonly endFrame?: number;
  /** Size of the frames; null or left out for the clip's `displaySize` (upright, square pixels). */
  readonly size?: Size | null;
  readonly signal?: AbortSignal | undefined;
  /** Called at the end where frames were missing or damaged. */
  readonly onDamage?: ((damage: DecodingDamage) => void) | undefined;
}

/** The faults of the pictures of a damaged clip. */
export interface DecodingDamage {
  /** Stored frames that could not be decoded: the picture before replaces them. */
  readonly missing: number;
  /** Errors that ffmpeg met while it decoded the others. */
  readonly errors: number;
}

/**
 * The frames `startFrame`..`endFrame` of the clip at its constant rate, upright, converted to full-range RGB with
 * the clip's own matrix, scaled by Lanczos where `size` differs, and in standard range where the clip says how
 * (`toneMapping`). ffmpeg waits while the consumer works; leaving the loop early ends it. Throws EditError
 * `invalid-request` for a range outside the clip, `clip-unreadable` when the file yields fewer frames than promised;
 * CanceledError.
 */
export async function* decodeFrames(
  clip: ClipInfo,
  options: DecodeOptions = {},
): AsyncGenerator<Rgb24Frame, void, undefined> {
  const size = options.size ?? clip.displaySize;
  for await (const { index, bytes } of readRange(clip, rgbLayout(clip, size), options)) {
    const rgb = clip.toneMapping === undefined ? bytes : toStandardRange(samplesOf(bytes), clip.toneMapping);
    yield { index, ...size, pixelFormat: 'rgb24', rgb };
  }
}

/** 16-bit samples; copied where they do not begin at an even place. */
function samplesOf(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  return new Uint16Array(buffer, byteOffset, length / 2);
}

/**
 * The same frames as the clip stores them: upright, at `frameSize`, in the planar format that holds its samples
 * (`planeFormatOf`), in its own range. Throws as `decodeFrames` does.
 */
export async function* decodePlanes(
  clip: ClipInfo,
  options: Omit<DecodeOptions, 'size'> = {},
): AsyncGenerator<PlanarFrame, void, undefined> {
  const format = planeFormatOf(clip.pixelFormat, clip.bitDepth);
  const size = clip.frameSize;
  for await (const { index, bytes } of readRange(clip, planeLayout(clip, format), options)) {
    yield { index, ...size, format, planes: toPlanes(bytes, format, size) };
  }
}

async function* readRange(
  clip: ClipInfo,
  layout: PictureLayout,
  { startFrame = 0, endFrame = clip.frameCount, signal, onDamage }: DecodeOptions,
): AsyncGenerator<{ readonly index: number; readonly bytes: Uint8Array }, void, undefined> {
  checkRange(clip, startFrame, endFrame);
  const wanted = planSourceFrames(clip, startFrame, endFrame);
  const [first = 0, last = 0] = [wanted[0], wanted.at(-1)];
  const { pictures, complaints } = readStored(clip, first, { layout, signal });
  const gaps = new Gaps(clip, first, last);
  let next = 0;
  for await (const { stored, bytes } of fillGaps(pictures, gaps)) {
    // One stored frame fills several places of the constant rate, or none.
    for (let copies = 0; wanted[next] === stored; next++, copies++) {
      yield { index: startFrame + next, bytes: copies === 0 ? bytes : bytes.slice() };
    }
    if (stored === last) break;
  }
  throwIfCanceled(signal);
  const damage = { missing: gaps.missing, errors: complaints() };
  if (damage.missing + damage.errors > 0) onDamage?.(damage);
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
