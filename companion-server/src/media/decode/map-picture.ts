// What an edit has changed, as a JPEG: its difference from the original, or where it flickers and the original does not.

import type { ClipInfo } from '../probe/clip-info.ts';
import type { Rgb24Frame, Size } from '../frame.ts';
import { decodeFrames } from './frames.ts';
import { encodeJpeg } from '../encode/encode-picture.ts';
import { sizeWithin } from './picture.ts';
import { differenceMap, flickerMap } from './pixel-maps.ts';

export type MapKind = 'difference' | 'flicker';

/** A frame of a clip, 0-based. */
export interface Shot {
  readonly clip: ClipInfo;
  readonly frameIndex: number;
}

/** ffmpeg's scale: a map has hard edges, which need a higher JPEG quality than a picture. */
const quality = 4;

/**
 * The frame of an edit against the frame of its original, no side longer than `maxSide` pixels. The first frame of an
 * edit cannot flicker. Throws EditError `invalid-request` for frames that the clips do not have, and what `decodeFrames`
 * throws.
 */
export async function readMapOf(
  kind: MapKind,
  original: Shot,
  edit: Shot,
  maxSide: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const size = sizeWithin(edit.clip.displaySize, maxSide);
  const before = kind === 'flicker' && edit.frameIndex > 0 && original.frameIndex > 0 ? 1 : 0;
  const [originals, edits] = await Promise.all([original, edit].map((shot) => readUpTo(shot, before, size, signal)));
  const [given, own] = [stepOf(originals), stepOf(edits)];
  const rgb = kind === 'difference' ? differenceMap(given.now, own.now) : flickerMap(given, own);
  return encodeJpeg({ ...size, pixelFormat: 'rgb24', rgb }, quality, signal);
}

/** The frame and so many before it. */
async function readUpTo(
  { clip, frameIndex }: Shot,
  before: number,
  size: Size,
  signal: AbortSignal | undefined,
): Promise<readonly Rgb24Frame[]> {
  const range = { startFrame: frameIndex - before, endFrame: frameIndex + 1 };
  const frames: Rgb24Frame[] = [];
  for await (const frame of decodeFrames(clip, { ...range, size, signal })) frames.push(frame);
  return frames;
}

function stepOf(frames: readonly Rgb24Frame[] | undefined) {
  const now = frames?.at(-1)?.rgb ?? new Uint8Array(0);
  return { before: frames?.[0]?.rgb ?? now, now };
}
