// Frames -> an animated GIF that plays without end, by ffmpeg: what a page shows where no video may stand.

import { Readable } from 'node:stream';
import { openPart } from '../../files/write-whole.ts';
import { outputAdvice } from '../ffmpeg/ffmpeg-error.ts';
import { startFfmpeg } from '../ffmpeg/ffmpeg.ts';
import { requireRgb24, type Picture, type Rational } from '../frame.ts';

/** Fewer colours and no dithering: noise that no eye sees costs a third of the file. */
const colours = 'split[a][b];[a]palettegen=max_colors=160:stats_mode=full[p];[b][p]paletteuse=dither=none';

/**
 * Writes `file` whole or not at all. `frames`: at least one, of one size; GIF counts time in hundredths of a second. Throws
 * RangeError for a frame that is no rgb24 or has another size, EditError `output-unwritable`, `disk-full`, `ffmpeg-missing`,
 * FfmpegError `ffmpeg-failed`; CanceledError.
 */
export async function writeGif(
  file: string,
  frames: readonly Picture[],
  frameRate: Rational,
  signal?: AbortSignal,
): Promise<void> {
  const [first] = frames;
  if (first === undefined) throw new RangeError('writeGif: at least one frame is needed.');
  const { width, height } = first;
  for (const frame of frames) {
    requireRgb24('writeGif', frame);
    if (frame.width === width && frame.height === height) continue;
    throw new RangeError(`writeGif: frames must be ${width} x ${height}, got ${frame.width} x ${frame.height}.`);
  }
  const { numerator, denominator } = frameRate;
  const partial = await openPart(file, outputAdvice);
  try {
    const run = await startFfmpeg({
      inputs: [
        {
          source: Readable.from(frames.map(({ rgb }) => Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength))),
          options: [
            ...['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', `${width}x${height}`],
            ...['-framerate', `${numerator}/${denominator}`],
          ],
        },
      ],
      outputOptions: ['-filter_complex', colours, '-loop', '0', '-f', 'gif'],
      output: partial.path,
      purpose: 'write',
      file,
      signal,
    });
    await run.done;
    await partial.commit();
  } finally {
    await partial.discard();
  }
}
