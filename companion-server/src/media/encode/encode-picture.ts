// A picture -> JPEG, by ffmpeg.

import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { EditError } from '../../errors.ts';
import { startFfmpeg } from '../ffmpeg/ffmpeg.ts';
import { requireRgb24, type Picture } from '../frame.ts';

const timeoutMs = 60_000;

/**
 * `quality`: ffmpeg's scale, 2 (best) to 31. JPEG's own matrix is that of Rec. 601, its range is full. Throws RangeError for
 * a picture that is no rgb24, FfmpegError `ffmpeg-failed`; CanceledError.
 */
export async function encodeJpeg(picture: Picture, quality: number, signal?: AbortSignal): Promise<Uint8Array> {
  requireRgb24('encodeJpeg', picture);
  const { width, height, rgb } = picture;
  const colours = ['-vf', 'scale=out_color_matrix=smpte170m,format=yuvj444p'];
  const output = new PassThrough({ emitClose: false, autoDestroy: false });
  const raw = ['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`];
  const pixels = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength);
  const run = await startFfmpeg({
    inputs: [{ source: Readable.from([pixels]), options: raw }],
    outputOptions: ['-frames:v', '1', ...colours, '-c:v', 'mjpeg', '-q:v', String(quality), '-f', 'image2pipe'],
    output,
    purpose: 'write',
    file: 'a picture',
    signal,
    timeoutMs,
  });
  run.done.then(() => output.end()).catch((error: unknown) => output.destroy(error as Error));
  try {
    const encoded = await buffer(output);
    if (encoded.length > 0) return encoded;
  } finally {
    await run.stop();
  }
  throw new EditError('ffmpeg-failed', `No JPEG was made of a picture of ${width} x ${height}.`, {
    hint: 'Install a current FFmpeg (https://ffmpeg.org/download.html); doctor says which one is used.',
  });
}
