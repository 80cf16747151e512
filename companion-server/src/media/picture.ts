// One frame of a clip as a JPEG, for a panel that shows it. Exact by the same plan that the edit reads by.

import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { EditError } from '../errors.ts';
import type { ClipInfo } from './clip-info.ts';
import { startFfmpeg } from './ffmpeg.ts';
import type { Size } from './frame.ts';
import { fileUrl, guardedDecodeOptions } from './input-guard.ts';
import { probeClip } from './probe.ts';
import { evenGrid, planReading, uprightPictures } from './reading-plan.ts';

/** Most bytes of one picture. */
export const maxPictureBytes = 4 * 1024 * 1024;

/** ffmpeg's scale of JPEG quality, best first: the next one is taken when a picture gets too large. */
const qualities = [3, 8, 16, 31];

/** How long reading one picture may take. */
const timeoutMs = 60_000;

/**
 * The frame `frameIndex` (0-based, at the clip's constant rate) of the clip or result `path`: upright, square pixels, no
 * side longer than `maxSide` pixels, never larger than the clip. Throws EditError `invalid-request` for a frame that the
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
  for (const quality of qualities) {
    const jpeg = await readJpeg(clip, frameIndex, size, quality, signal);
    if (jpeg.length <= maxPictureBytes) return jpeg;
  }
  throw new EditError(
    'invalid-request',
    `A picture of ${size.width} x ${size.height} takes more than ${maxPictureBytes} bytes.`,
    { hint: 'Ask for a smaller one.' },
  );
}

async function readJpeg(
  clip: ClipInfo,
  frameIndex: number,
  size: Size,
  quality: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { seek, select } = planReading(clip, frameIndex, frameIndex + 1);
  // JPEG's own matrix is that of Rec. 601.
  const filters = uprightPictures(clip, size, ':out_color_matrix=smpte170m');
  const output = new PassThrough({ emitClose: false, autoDestroy: false });
  const run = await startFfmpeg({
    inputs: [{ source: fileUrl(clip.path), options: [...guardedDecodeOptions, ...seek] }],
    outputOptions: [
      ...['-map', `0:${clip.streamIndex}`, '-frames:v', '1'],
      ...['-vf', [...select, ...filters, 'format=yuvj444p', 'setsar=1', ...evenGrid].join(',')],
      ...['-c:v', 'mjpeg', '-q:v', String(quality), '-f', 'image2pipe'],
    ],
    output,
    purpose: 'read',
    file: clip.path,
    signal,
    timeoutMs,
  });
  run.done.then(() => output.end()).catch((error: unknown) => output.destroy(error as Error));
  try {
    const jpeg = await buffer(output);
    if (jpeg.length > 0) return jpeg;
  } finally {
    await run.stop();
  }
  throw new EditError('clip-unreadable', `"${clip.path}": frame ${frameIndex} cannot be read.`, {
    hint: 'The file is damaged: copy or export the clip again.',
  });
}

/** The same shape, no side longer than `maxSide` pixels, never larger. */
export function sizeWithin({ width, height }: Size, maxSide: number): Size {
  const scale = Math.min(1, maxSide / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}
