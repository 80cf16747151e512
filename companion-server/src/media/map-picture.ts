// What an edit has changed, as a JPEG: its difference from the original, or where it flickers and the original does not.

import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { EditError } from '../errors.ts';
import type { ClipInfo } from './clip-info.ts';
import { startFfmpeg } from './ffmpeg.ts';
import type { Frame, Size } from './frame.ts';
import { decodeFrames } from './frames.ts';
import { sizeWithin } from './picture.ts';
import { differenceMap, flickerMap } from './pixel-maps.ts';

export type MapKind = 'difference' | 'flicker';

/** A frame of a clip, 0-based. */
export interface Shot {
  readonly clip: ClipInfo;
  readonly frameIndex: number;
}

/** ffmpeg's scale: a map has hard edges, which JPEG likes less than a picture. */
const quality = '4';
const timeoutMs = 60_000;

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
  const [originals, edits] = await Promise.all(
    [original, edit].map((shot) => readUpTo(shot, before, size, signal)),
  );
  const [given, own] = [stepOf(originals), stepOf(edits)];
  const rgb = kind === 'difference' ? differenceMap(given.now, own.now) : flickerMap(given, own);
  return encodeJpeg(rgb, size, edit.clip.path, signal);
}

/** The frame and so many before it. */
async function readUpTo(
  { clip, frameIndex }: Shot,
  before: number,
  size: Size,
  signal: AbortSignal | undefined,
): Promise<readonly Frame[]> {
  const range = { startFrame: frameIndex - before, endFrame: frameIndex + 1 };
  const frames: Frame[] = [];
  for await (const frame of decodeFrames(clip, { ...range, size, signal })) frames.push(frame);
  return frames;
}

function stepOf(frames: readonly Frame[] | undefined) {
  const now = frames?.at(-1)?.rgb ?? new Uint8Array(0);
  return { before: frames?.[0]?.rgb ?? now, now };
}

async function encodeJpeg(
  rgb: Uint8Array,
  { width, height }: Size,
  file: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const output = new PassThrough({ emitClose: false, autoDestroy: false });
  const raw = ['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`];
  const run = await startFfmpeg({
    inputs: [{ source: Readable.from([Buffer.from(rgb.buffer)]), options: raw }],
    outputOptions: [
      ...['-frames:v', '1', '-vf', 'scale=out_color_matrix=smpte170m,format=yuvj444p'],
      ...['-c:v', 'mjpeg', '-q:v', quality, '-f', 'image2pipe'],
    ],
    output,
    purpose: 'read',
    ...{ file, signal, timeoutMs },
  });
  run.done.then(() => output.end()).catch((error: unknown) => output.destroy(error as Error));
  try {
    const jpeg = await buffer(output);
    if (jpeg.length > 0) return jpeg;
  } finally {
    await run.stop();
  }
  throw new EditError('ffmpeg-failed', `No picture was made of a map of ${width} x ${height}.`);
}
