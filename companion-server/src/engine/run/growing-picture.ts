// What a frame of the edit looks like so far: the network's prediction of its clean latents, as a small picture, after some of
// the steps. It must cost next to nothing, and an edit never fails because of it.

import path from 'node:path';
import { jobPictureMs } from '../../../../protocol/limits.ts';
import { estimateClean, noStrongerThan } from '../../diffusion/clean-estimate.ts';
import type { Schedule } from '../../diffusion/schedule.ts';
import { CanceledError, EditError } from '../../errors.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import { encodeJpeg } from '../../media/encode/encode-picture.ts';
import { frameToTensor } from '../../media/pixels.ts';
import type { Picture } from '../../media/frame.ts';
import { padFrame, type WorkingSize } from '../../media/working-size.ts';
import type { LatentSize } from '../../nets/denoising-network.ts';
import { sliceRows } from '../../tensor/tensor.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import type { FramePrediction } from '../../tokenflow/sampler.ts';
import type { EditContext } from './edit-context.ts';
import type { GrowingPicture } from './edit-job.ts';
import { fitColourDecoder, openTinyDecoder, type PreviewDecoder } from '../preview/preview-decoder.ts';

/** Of the time since the first picture, so much may go into pictures. */
const mostShare = 0.02;
/** ffmpeg's scale of JPEG quality. */
const quality = 4;

export interface PictureBudget {
  /** Whether there is time for a picture. */
  readonly isDue: boolean;
  /** Takes the time that `work` takes from the budget. */
  spend<T>(work: () => Promise<T>): Promise<T>;
}

/** At most one picture per `jobPictureMs`, and no more of them than `mostShare` of the time allows. `now` in milliseconds. */
export function createPictureBudget(now: () => number = () => performance.now()): PictureBudget {
  const begunAt = now();
  let spentMs = 0;
  let lastAt: number | null = null;
  return {
    get isDue() {
      if (lastAt === null) return true;
      return now() - lastAt >= jobPictureMs && spentMs <= mostShare * (now() - begunAt);
    },
    async spend(work) {
      const startedAt = now();
      lastAt = startedAt;
      try {
        return await work();
      } finally {
        spentMs += now() - startedAt;
      }
    },
  };
}

type PictureContext = Pick<EditContext, 'plan' | 'clip' | 'signal' | 'job' | 'model' | 'execution'> & {
  readonly sampling: Schedule;
};

export interface GrowingPictures {
  /** The listener for the sampler's predictions. */
  readonly onPrediction: (prediction: FramePrediction) => Promise<void>;
  /** Call it when the sampling has ended. */
  release(): Promise<void>;
}

/**
 * Shows always the frame in the middle of the clip, so that the same picture grows: by the job's tiny decoder where it has
 * one that fits the model, else by colours. `clean`: the latents of the clip itself.
 */
export function growPicture(
  { plan, clip, job, model, execution, sampling, signal }: PictureContext,
  clean: LatentStore,
  onPicture: (picture: GrowingPicture) => void,
): GrowingPictures {
  const frameIndex = Math.floor(plan.frameCount / 2);
  const budget = createPictureBudget();
  let decoder: Promise<PreviewDecoder> | null = null;
  let isOff = false;

  async function fit(): Promise<PreviewDecoder> {
    const startFrame = plan.frames[frameIndex] ?? 0;
    const range = { startFrame, endFrame: startFrame + 1, size: plan.size.scaled, signal };
    for await (const frame of decodeFrames(clip, range)) {
      const image = frameToTensor(padFrame(frame, plan.size));
      return fitColourDecoder({ latents: await clean.read([frameIndex]), image });
    }
    throw new Error(`The clip has no frame ${startFrame}.`);
  }

  async function open(size: LatentSize): Promise<PreviewDecoder> {
    const { previewDecoder: file = null, cacheDir } = job;
    if (file === null) return fit();
    const weightsDir = path.join(cacheDir, 'weights');
    return openTinyDecoder({ file, format: model.vae.latents, size, execution, weightsDir, signal }).catch(
      (error: unknown) => {
        // A decoder of other latents, or a damaged one.
        if (error instanceof EditError && !(error instanceof CanceledError)) return fit();
        throw error;
      },
    );
  }

  async function show({ frames, timestep, latents, prediction }: FramePrediction): Promise<void> {
    const row = frames.indexOf(frameIndex);
    const [of, said] = [sliceRows(latents, row, row + 1), sliceRows(prediction, row, row + 1)];
    const [, , height = 0, width = 0] = of.dims;
    const opened = await (decoder ??= open({ height, width }));
    const estimate = estimateClean(of, said, timestep, sampling);
    const [picture] = await opened.decode(noStrongerThan(estimate, await clean.read([frameIndex])));
    if (picture === undefined) throw new TypeError('The decoder returned no picture.');
    onPicture({ jpeg: await encodeJpeg(withoutPadding(picture, plan.size), quality, signal), frameIndex });
  }

  return {
    async onPrediction(prediction) {
      if (isOff || !prediction.frames.includes(frameIndex) || !budget.isDue) return;
      try {
        await budget.spend(() => show(prediction));
      } catch (error) {
        if (error instanceof CanceledError) throw error;
        isOff = true;
      }
    },
    async release() {
      const opened = await decoder?.catch(() => null);
      await opened?.release();
    },
  };
}

/** Its pixels that are of the clip, in part at least. */
function withoutPadding(picture: Picture<'rgb24'>, { scaled, padded, left, top }: WorkingSize): Picture<'rgb24'> {
  const down = padded.width / picture.width;
  const [fromX, fromY] = [Math.floor(left / down), Math.floor(top / down)];
  const width = Math.ceil((left + scaled.width) / down) - fromX;
  const height = Math.ceil((top + scaled.height) / down) - fromY;
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const start = 3 * ((fromY + y) * picture.width + fromX);
    rgb.set(picture.rgb.subarray(start, start + 3 * width), 3 * y * width);
  }
  return { width, height, pixelFormat: 'rgb24', rgb };
}
