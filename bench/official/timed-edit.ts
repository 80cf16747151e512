// Steps of the engine's inversion and sampling in the reference schedule over random latents, timed. What the values are
// changes nothing about the time.

import { parseSchedulerConfig } from '../../companion-server/src/diffusion/scheduler-config.ts';
import { createInversionSchedule } from '../../companion-server/src/diffusion/inversion-schedule.ts';
import { createSchedule } from '../../companion-server/src/diffusion/schedule.ts';
import type { UNetDenoiser } from '../../companion-server/src/engine/model/unet-denoiser.ts';
import type { Conditioning } from '../../companion-server/src/nets/conditioning.ts';
import type { Branch, PassLimits } from '../../companion-server/src/nets/pass.ts';
import type { UNetConfig } from '../../companion-server/src/nets/unet-blocks.ts';
import { injectionAt, thresholdsOf } from '../../companion-server/src/techniques/plug-and-play.ts';
import { createRandom } from '../../companion-server/src/tensor/random.ts';
import { sizeOf, tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { InMemoryLatents } from '../../companion-server/src/tokenflow/in-memory-latents.ts';
import { invert } from '../../companion-server/src/tokenflow/inversion.ts';
import { drawKeyframes } from '../../companion-server/src/tokenflow/keyframes.ts';
import { sample } from '../../companion-server/src/tokenflow/sampler.ts';
import { scenesOf } from '../../companion-server/src/tokenflow/scenes.ts';
import { timed } from '../interleave.ts';

export interface EditShape extends PassLimits {
  readonly frames: number;
  /** Side of the latents. */
  readonly edge: number;
  readonly steps: number;
  readonly inversionSteps: number;
  readonly guidance: number;
  readonly keyframeInterval: number;
}

const scheduler = parseSchedulerConfig({
  ...{ beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', num_train_timesteps: 1000 },
  ...{ clip_sample: false, set_alpha_to_one: false, steps_offset: 1, prediction_type: 'epsilon' },
});
const tokens = 77;

export class TimedEdit {
  /** Of every sampling step. */
  readonly keyframes: readonly (readonly number[])[];
  private readonly denoiser: UNetDenoiser;
  private readonly shape: EditShape;
  private readonly latents: Tensor;
  private readonly conditioning: Readonly<Record<Branch, Conditioning>>;

  constructor(denoiser: UNetDenoiser, config: UNetConfig, shape: EditShape) {
    this.denoiser = denoiser;
    this.shape = shape;
    const { frames, edge, keyframeInterval, steps } = shape;
    const { latentChannels, crossAttentionDim } = config;
    const random = createRandom(1);
    const noise = (dims: readonly number[]) =>
      tensor(
        dims,
        Float32Array.from({ length: sizeOf(dims) }, () => random.gaussian()),
      );
    const text = () => ({ tokens: noise([1, tokens, crossAttentionDim]) });
    this.latents = noise([frames, latentChannels, edge, edge]);
    this.conditioning = { source: text(), negative: text(), target: text() };
    this.keyframes = Array.from({ length: steps }, (_, step) =>
      drawKeyframes(0, step, scenesOf(frames, []), keyframeInterval),
    );
  }

  /** Seconds of one inversion step of all frames. */
  invert(): Promise<number> {
    const { inversionSteps, steps, chunkSize } = this.shape;
    const schedule = createInversionSchedule(scheduler, createSchedule(scheduler, steps), inversionSteps);
    const latents = new InMemoryLatents(this.latents);
    const run = invert({
      denoiser: this.denoiser,
      schedule,
      conditioning: this.conditioning.source,
      latents,
      next: latents,
      method: { name: 'ddim' },
      startStep: 0,
      keep: () => undefined,
      chunkSize,
    });
    return timed(() => run.next());
  }

  /** Seconds of all sampling steps. */
  sample(): Promise<number> {
    const { steps, chunkSize, maxLatents, frames, guidance, keyframeInterval } = this.shape;
    const source = new InMemoryLatents(this.latents);
    const run = sample({
      denoiser: this.denoiser,
      schedule: createSchedule(scheduler, steps),
      conditioning: this.conditioning,
      guidanceAt: () => guidance,
      frameGuidance: 'own',
      injectionAt: (step) => injectionAt(thresholdsOf(0.5), step, steps),
      propagation: 'reference',
      keyframesAt: (step) => this.keyframes[step] ?? [],
      keyframeInterval,
      scenes: scenesOf(frames, []),
      extendedLimit: Math.ceil(frames / keyframeInterval),
      chunkSize,
      maxLatents,
      startStep: 0,
      source: { mode: 'recomputed', latents: { at: () => source }, clean: source },
      latents: new InMemoryLatents(this.latents),
      next: new InMemoryLatents(this.latents),
    });
    return timed(async () => {
      let isDone = false;
      while (!isDone) isDone = (await run.next()).done === true;
    });
  }
}
