// A still picture -> a clip of one frame, without loss, for what takes clips only: a painted mask.

import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EditError } from '../../errors.ts';
import { startFfmpeg } from '../ffmpeg/ffmpeg.ts';
import { fileUrl, maxPixels } from '../ffmpeg/input-guard.ts';

const timeoutMs = 60_000;

/** Demuxers that hold one picture in one file. The names are ffmpeg's. */
const formats = ['png_pipe', 'jpeg_pipe', 'bmp_pipe', 'tiff_pipe', 'webp_pipe', 'psd_pipe', 'exr_pipe'].join(',');

/** The ending of what `writePictureClip` writes. */
export const pictureClipExtension = '.nut';

/**
 * Writes the picture to `clip`, with 8 bits a sample and its alpha. Every ffmpeg can: the pixels are not compressed. Throws
 * FfmpegError, 'clip-unreadable' for a file that is no picture; CanceledError.
 */
export async function writePictureClip(picture: string, clip: string, signal?: AbortSignal): Promise<void> {
  const guard = ['-protocol_whitelist', 'file', '-format_whitelist', formats, '-max_pixels', String(maxPixels)];
  const output = new PassThrough({ emitClose: false, autoDestroy: false });
  const run = await startFfmpeg({
    inputs: [{ source: fileUrl(picture), options: guard }],
    outputOptions: ['-frames:v', '1', '-r', '25', '-pix_fmt', 'rgba', '-c:v', 'rawvideo', '-f', 'nut'],
    output,
    purpose: 'read',
    file: picture,
    signal,
    timeoutMs,
  });
  run.done.then(() => output.end()).catch((error: unknown) => output.destroy(error as Error));
  try {
    // A process that reads an untrusted picture may write no files.
    await pipeline(output, createWriteStream(clip));
    if ((await stat(clip)).size > 0) return;
  } finally {
    await run.stop();
  }
  throw new EditError('clip-unreadable', `"${picture}" cannot be read as a picture.`, {
    hint: 'Save it again as PNG.',
  });
}
