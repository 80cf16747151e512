// Frames -> latents and back, a few at a time: neither the clip nor its latents are ever in memory as a whole.

import { EditError, throwIfCanceled } from '../../errors.ts';
import type { Encoder } from '../../media/encode/encode.ts';
import type { EncoderFrame } from '../../media/encode/encoder-options.ts';
import { padFrame } from '../../media/working-size.ts';
import type { RgbPlanes } from '../../media/rgb-planes.ts';
import { decodeFrames, type DecodingDamage } from '../../media/decode/frames.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { frameToTensor, tensorToPlanes } from '../../media/pixels.ts';
import { isAllFinite } from '../../tensor/finite.ts';
import { concatRows, sliceRows, type Tensor } from '../../tensor/tensor.ts';
import { frameRange, type LatentStore } from '../../tokenflow/latents.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import type { VaeSession } from '../model/vae-session.ts';

export interface StageHooks {
  readonly signal?: AbortSignal | undefined;
  /** Frames done so far. */
  readonly onFrames: (done: number) => void;
  /** Where frames of the clip were missing or damaged. */
  readonly onDamage?: ((damage: DecodingDamage) => void) | undefined;
}

/** Decodes the planned frames, encodes them with the VAE and writes the latents' means. */
export async function readLatents(
  clip: ClipInfo,
  plan: EditPlan,
  vae: VaeSession,
  latents: LatentStore,
  { signal, onFrames, onDamage }: StageHooks,
): Promise<void> {
  const { startFrame, endFrame, size, vaeChunkSize } = plan;
  const wanted = new Set(plan.frames);
  let waiting: Tensor[] = [];
  let done = 0;
  const flush = async () => {
    if (waiting.length === 0) return;
    const images = concatRows(waiting);
    waiting = [];
    await latents.write(done, finite(await vae.run(images), 'encoding the clip'));
    done += images.dims[0] ?? 0;
    onFrames(done);
  };
  for await (const frame of decodeFrames(clip, {
    startFrame,
    endFrame,
    size: size.scaled,
    signal,
    onDamage,
  })) {
    if (!wanted.has(frame.index)) continue;
    waiting.push(frameToTensor(padFrame(frame, size)));
    if (waiting.length === vaeChunkSize) await flush();
  }
  await flush();
}

/**
 * Decodes latents with the VAE and hands the frames, without their padding, to the encoder, as `finish` makes them.
 */
export async function writePictures(
  latents: LatentStore,
  plan: EditPlan,
  vae: VaeSession,
  encoder: Encoder,
  { signal, onFrames, finish }: StageHooks & { finish: (picture: RgbPlanes) => Promise<EncoderFrame> },
): Promise<void> {
  const { frameCount, frames, size, vaeChunkSize } = plan;
  for (let start = 0; start < frameCount; start += vaeChunkSize) {
    throwIfCanceled(signal);
    const end = Math.min(start + vaeChunkSize, frameCount);
    const images = finite(await vae.run(await latents.read(frameRange(start, end))), 'decoding the result');
    for (let row = 0; row < end - start; row++) {
      const picture = tensorToPlanes(sliceRows(images, row, row + 1), frames[start + row] ?? 0, size);
      await encoder.write(await finish(picture));
    }
    onFrames(end);
  }
}

function finite(values: Tensor, doing: string): Tensor {
  if (isAllFinite(values)) return values;
  throw new EditError('result-invalid', `The VAE returned values that are no numbers while ${doing}.`, {
    hint: 'Try --device cpu. If that fails too, the checkpoint is damaged.',
  });
}
