// One frame of a clip as a JPEG, for a panel that shows it. Exact by the same plan that the edit reads by.

import { EditError } from '../../errors.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import { overtime } from '../ffmpeg/ffmpeg-error.ts';
import type { Rgb24Frame, Size } from '../frame.ts';
import { decodeFrames } from './frames.ts';
import { encodeJpeg } from '../encode/encode-picture.ts';
import { probeClip } from '../probe/probe.ts';
import { toneMapped } from '../tone-mapping.ts';

/** Most bytes of one picture. */
export const maxPictureBytes = 4 * 1024 * 1024;

/** ffmpeg's scale of JPEG quality, best first: the next one is taken when a picture gets too large. */
const qualities = [3, 8, 16, 31];

/** How long reading one picture may take. */
const timeoutMs = 60_000;

/**
 * The frame `frameIndex` (0-based, at the clip's constant rate) of the clip or result `path`: upright, square pixels, no
 * side longer than `maxSide` pixels, never larger than the clip; high dynamic range is tone-mapped. Throws EditError `invalid-request` for a frame that the
 * clip does not have, and what `probeClip` throws; CanceledError.
 */
export async function readPicture(
  path: string,
  frameIndex: number,
  maxSide: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  return readPictureOf(await probeClip(path, signal), frameIndex, maxSide, signal);
}

/** As `readPicture`, of a clip that has been probed: a long clip is not listed again for each picture. */
export async function readPictureOf(
  clip: ClipInfo,
  frameIndex: number,
  maxSide: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (!Number.isInteger(frameIndex) || frameIndex < 0 || frameIndex >= clip.frameCount) {
    throw new EditError(
      'invalid-request',
      `The clip has ${clip.frameCount} frames, 0 to ${clip.frameCount - 1}; frame ${frameIndex} is none of them.`,
    );
  }
  const size = sizeWithin(clip.displaySize, maxSide);
  const picture = await readFrame(clip, frameIndex, size, signal);
  for (const quality of qualities) {
    const jpeg = await encodeJpeg(picture, quality, signal);
    if (jpeg.length <= maxPictureBytes) return jpeg;
  }
  throw new EditError(
    'invalid-request',
    `A picture of ${size.width} x ${size.height} takes more than ${maxPictureBytes} bytes.`,
    { hint: 'Ask for a smaller one.' },
  );
}

async function readFrame(
  clip: ClipInfo,
  frameIndex: number,
  size: Size,
  signal: AbortSignal | undefined,
): Promise<Rgb24Frame> {
  const limit = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  const range = { startFrame: frameIndex, endFrame: frameIndex + 1 };
  try {
    for await (const frame of decodeFrames(toneMapped(clip), { ...range, size, signal: either })) return frame;
  } catch (error) {
    if (limit.aborted && signal?.aborted !== true) throw overtime(clip.path, timeoutMs);
    throw error;
  }
  throw new Error(`decodeFrames has yielded no frame for ${frameIndex} to ${frameIndex + 1}.`);
}

/** The same shape, no side longer than `maxSide` pixels, never larger. */
export function sizeWithin({ width, height }: Size, maxSide: number): Size {
  const scale = Math.min(1, maxSide / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}
