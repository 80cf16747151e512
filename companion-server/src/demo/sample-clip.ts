// Writes a clip of any size and length, whose motion is known: benches and tests edit it.

import { throwIfCanceled } from '../errors.ts';
import { openEncoder } from '../media/encode/encode.ts';
import { defaultSample, renderSampleFrame, type SampleOptions } from './sample-frame.ts';

export { defaultSample, sampleSourcePrompt, type SampleOptions } from './sample-frame.ts';
export { sampleMotion, sampleMotions, type SampleMotion } from './sample-motion.ts';

/** Renders the clip to `file` (.mp4 or .mov, H.264, nearly lossless). Throws as `openEncoder` does. */
export async function writeSampleClip(
  file: string,
  options: SampleOptions = defaultSample,
  signal?: AbortSignal,
): Promise<void> {
  const { width, height, frameRate } = options;
  const encoder = await openEncoder(file, {
    width,
    height,
    frameRate,
    signal,
    codec: 'h264',
    crf: 8,
  });
  try {
    for (let index = 0; index < options.frames; index++) {
      throwIfCanceled(signal);
      await encoder.write(renderSampleFrame(index, options));
    }
    await encoder.finish();
  } finally {
    await encoder.abort();
  }
}
