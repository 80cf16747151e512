// Several frames of a playback video as JPEGs, in one run of ffmpeg, for a client that cannot play the video.

import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { startFfmpeg } from '../ffmpeg/ffmpeg.ts';
import { fileUrl, guardedDecodeOptions } from '../ffmpeg/input-guard.ts';
import type { Rational } from '../frame.ts';

export interface JpegsOptions {
  /** Of the video, whose first frame is at 0 seconds. */
  readonly frameRate: Rational;
  /** From 0. */
  readonly firstFrame: number;
  readonly frames: number;
  /** Pixels of the longer side at most; the pictures are never larger than the video. */
  readonly maxSide: number;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 60_000;
/** ffmpeg's scale, 2 (best) to 31: small pictures in motion. */
const quality = '6';

/** Fewer than `frames` where the video ends. Throws FfmpegError; CanceledError. */
export async function readJpegs(
  file: string,
  { frameRate, firstFrame, frames, maxSide, signal }: JpegsOptions,
): Promise<readonly Uint8Array[]> {
  const output = new PassThrough({ emitClose: false, autoDestroy: false });
  const { numerator, denominator } = frameRate;
  // Half a frame before it: times are rounded in the file.
  const seconds = Math.max(0, ((firstFrame - 0.5) * denominator) / numerator);
  const side = `min(${maxSide}\\,iw)`;
  const tall = `min(${maxSide}\\,ih)`;
  const run = await startFfmpeg({
    inputs: [{ source: fileUrl(file), options: [...guardedDecodeOptions, '-ss', seconds.toFixed(6)] }],
    outputOptions: [
      ...['-frames:v', String(frames), '-fps_mode', 'passthrough'],
      ...['-vf', `scale=w='if(gte(iw\\,ih)\\,${side}\\,-2)':h='if(gte(iw\\,ih)\\,-2\\,${tall})',format=yuvj420p`],
      ...['-c:v', 'mjpeg', '-q:v', quality, '-f', 'image2pipe'],
    ],
    output,
    purpose: 'read',
    file,
    signal,
    timeoutMs,
  });
  run.done.then(() => output.end()).catch((error: unknown) => output.destroy(error as Error));
  try {
    return splitJpegs(await buffer(output));
  } finally {
    await run.stop();
  }
}

/** A stream of JPEGs, cut before each marker FF D8: within a JPEG of ffmpeg's it occurs nowhere else (ITU-T T.81, B.1.1). */
export function splitJpegs(bytes: Uint8Array): readonly Uint8Array[] {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts: number[] = [];
  const begin = Buffer.from([0xff, 0xd8, 0xff]);
  for (let at = whole.indexOf(begin); at >= 0; at = whole.indexOf(begin, at + begin.length)) starts.push(at);
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
}
