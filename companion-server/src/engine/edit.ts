// One edit from file to file: clip -> latents -> inversion -> TokenFlow -> frames -> clip.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import { throwIfCanceled } from '../errors.ts';
import type { ClipInfo } from '../media/clip-info.ts';
import { openEncoder } from '../media/encode.ts';
import { rationalValue } from '../media/frame.ts';
import { probeClip } from '../media/probe.ts';
import type { Execution } from '../onnx/execution.ts';
import { createRandom } from '../tensor/random.ts';
import { sliceRows } from '../tensor/tensor.ts';
import type { Contexts } from '../tokenflow/denoiser.ts';
import { invert } from '../tokenflow/inversion.ts';
import { sampleKeyframes } from '../tokenflow/keyframes.ts';
import { frameRange, type LatentStore, type SourceTrajectory } from '../tokenflow/latents.ts';
import { sample } from '../tokenflow/sampler.ts';
import { CheckpointFile, type Checkpoint } from './checkpoint.ts';
import { readLatents, writeFrames } from './clip-latents.ts';
import type { UNetDenoiser } from './denoiser.ts';
import { chooseDevice } from './device.ts';
import { countEvaluations, planEdit, thresholdsOf, type EditPlan } from './edit-plan.ts';
import { chooseSettings, readEditDefaults, type ChosenSettings } from './edit-defaults.ts';
import type { EditJob } from './edit-job.ts';
import { planSchedules } from './edit-schedules.ts';
import { probeIsolated } from './isolated-probe.ts';
import { diskError, LatentFile, sourceTrajectory } from './latent-file.ts';
import { openModel, type Model } from './model.ts';
import { ProgressMeter } from './progress-meter.ts';
import { writeNoised } from './start-noise.ts';

export interface EditHooks {
  readonly onProgress: (progress: EditProgress) => void;
  /** After every step: an edit with the same `workDir` goes on from here. */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  readonly signal?: AbortSignal | undefined;
}

interface EditObservers {
  readonly meter: ProgressMeter;
  readonly onCheckpoint: (checkpoint: Checkpoint) => void;
  readonly signal: AbortSignal | undefined;
}

/** Where the clip's own latents are kept when sampling starts from them; moments 0 and 1 take turns. */
const clipMoment = 2;

/** Work of the VAE per frame, in UNet forwards; for the progress only. */
const vaeWork = { decode: 1.5, encode: 3 } as const;

/** Runs the job. Throws EditError with a code of protocol/error-codes.ts, or CanceledError; leaves no output then. */
export async function runEdit(
  job: EditJob,
  { onProgress, onCheckpoint = () => undefined, signal }: EditHooks,
): Promise<EditReport> {
  const meter = new ProgressMeter(onProgress);
  meter.begin('load', 1);
  const clip = await probeClip(job.inputPath, signal);
  const execution = await chooseDevice(job.device, (device, purpose) =>
    probeIsolated(device, purpose, job.cacheDir),
  );
  const model = await openModel({ dir: job.modelDir, execution, cacheDir: job.cacheDir, signal });
  await makeWorkDir(job.workDir);
  const settings = chooseSettings(job.settings, await readEditDefaults(job.modelDir));
  const edit = new Edit(job, settings, clip, model, execution, { meter, onCheckpoint, signal });
  return edit.run();
}

async function makeWorkDir(workDir: string): Promise<void> {
  try {
    await mkdir(workDir, { recursive: true });
  } catch (error) {
    throw diskError(workDir, error);
  }
}

class Edit {
  private readonly job: EditJob;
  private readonly settings: ChosenSettings;
  private readonly clip: ClipInfo;
  private readonly model: Model;
  private readonly execution: Execution;
  private readonly meter: ProgressMeter;
  private readonly onCheckpoint: (checkpoint: Checkpoint) => void;
  private readonly signal: AbortSignal | undefined;
  private readonly checkpoints: CheckpointFile;
  private readonly plan: EditPlan;
  private readonly sampling: Schedule;
  private readonly inversion: Schedule;
  private readonly denoiser: UNetDenoiser;
  private readonly files: LatentFile[] = [];

  constructor(
    job: EditJob,
    settings: ChosenSettings,
    clip: ClipInfo,
    model: Model,
    execution: Execution,
    { meter, onCheckpoint, signal }: EditObservers,
  ) {
    this.job = job;
    this.settings = settings;
    this.clip = clip;
    this.model = model;
    this.execution = execution;
    this.meter = meter;
    this.onCheckpoint = onCheckpoint;
    this.signal = signal;
    this.plan = planEdit(clip, model, settings);
    const { inputPath, modelDir } = job;
    this.checkpoints = new CheckpointFile(job.workDir, {
      inputPath,
      modelDir,
      settings,
      plan: this.plan,
    });
    const { sampling, inversion } = planSchedules(model.scheduler, settings, this.plan);
    this.sampling = sampling;
    this.inversion = inversion;
    this.denoiser = model.createDenoiser(this.plan.latentSize);
  }

  async run(): Promise<EditReport> {
    const { plan, meter, settings } = this;
    const evaluations = countEvaluations(plan, settings, this.inversion.timesteps.length);
    meter.plan({
      decode: vaeWork.decode * plan.frameCount,
      invert: evaluations.inversion,
      edit: evaluations.sampling,
      encode: vaeWork.encode * plan.frameCount,
    });
    const contexts = await this.encodePrompts();
    const resumed = await this.checkpoints.read();
    const open = async (name: string, moments: number) => {
      const file = await this.openLatents(name, moments, resumed !== null);
      this.files.push(file);
      return file;
    };
    const timesteps = this.sampling.timesteps.slice(plan.startStep);
    try {
      const trajectory = await open('source.latents', timesteps.length);
      const current = await open('edit.latents', settings.noise === 'inversion' ? 2 : 3);
      const source = sourceTrajectory(trajectory, timesteps);
      this.denoiser.evaluations = resumed?.evaluations ?? 0;
      if (resumed === null) {
        await this.decode(current.moment(0));
        if (settings.noise !== 'inversion') {
          await copyLatents(current.moment(0), current.moment(clipMoment), plan.chunkSize);
        }
      }
      if (resumed?.stage !== 'edit') {
        await this.invert(contexts, current, resumed?.step ?? 0, (timestep) =>
          timesteps.includes(timestep) ? source.at(timestep) : undefined,
        );
        await this.begin(source.at(timesteps[0] ?? 0), current);
      }
      const inverted =
        resumed?.stage === 'edit' ? resumed.inversionEvaluations : this.denoiser.evaluations;
      const done = resumed?.stage === 'edit' ? resumed.step : 0;
      if (done === 0) await this.checkpoint('edit', 0, inverted);
      const edited = await this.sample(contexts, source, current, done, inverted);
      const notices = await this.encode(edited);
      meter.finish();
      return this.report(inverted, notices);
    } finally {
      await this.denoiser.release();
      for (const file of this.files) await file.close();
    }
  }

  private openLatents(name: string, moments: number, isResumed: boolean): Promise<LatentFile> {
    const { frameCount, latentSize } = this.plan;
    const options = {
      path: path.join(this.job.workDir, name),
      frameCount,
      frameDims: [this.model.unet.latentChannels, latentSize.height, latentSize.width],
      moments,
    };
    return isResumed ? LatentFile.reopen(options) : LatentFile.create(options);
  }

  /** Puts the latents that sampling starts from into moment 0 of `current`. */
  private async begin(inverted: LatentStore, current: LatentFile): Promise<void> {
    const { plan, settings, sampling: schedule } = this;
    const { noise, seed } = settings;
    const { startFrame, chunkSize } = plan;
    if (noise === 'inversion') {
      await copyLatents(inverted, current.moment(0), chunkSize);
      return;
    }
    const timestep = schedule.timesteps[plan.startStep] ?? 0;
    const start = { noise, seed, startFrame, timestep, schedule, chunkSize };
    await writeNoised(current.moment(clipMoment), current.moment(0), start);
  }

  /** The latents first: after a loss of power, what a checkpoint on the disk speaks of is on the disk as well. */
  private async checkpoint(
    stage: Checkpoint['stage'],
    step: number,
    inversionEvaluations: number,
  ): Promise<void> {
    const { evaluations } = this.denoiser;
    const checkpoint = { stage, step, evaluations, inversionEvaluations };
    for (const file of this.files) await file.sync();
    await this.checkpoints.write(checkpoint);
    this.onCheckpoint(checkpoint);
  }

  private async encodePrompts(): Promise<Contexts> {
    const { sourcePrompt, negativePrompt, prompt } = this.settings;
    const embeddings = await this.model.encodePrompts([sourcePrompt, negativePrompt, prompt]);
    return {
      source: sliceRows(embeddings, 0, 1),
      negative: sliceRows(embeddings, 1, 2),
      target: sliceRows(embeddings, 2, 3),
    };
  }

  private async decode(latents: LatentStore): Promise<void> {
    const { plan, meter, signal } = this;
    meter.begin('decode', plan.frameCount);
    const vae = await this.model.openEncoder(plan.latentSize);
    try {
      const onFrames = (done: number) =>
        meter.advance(done, plan.frameCount, done / plan.frameCount);
      await readLatents(this.clip, plan, vae, latents, { signal, onFrames });
    } finally {
      await vae.release();
    }
  }

  /** After n steps the latents are in moment n mod 2 of `current`. */
  private async invert(
    contexts: Contexts,
    current: LatentFile,
    startStep: number,
    keep: (timestep: number) => LatentStore | undefined,
  ): Promise<void> {
    const { denoiser, plan, meter } = this;
    const steps = this.inversion.timesteps.length;
    meter.begin('invert', steps);
    if (startStep === 0) await this.checkpoint('invert', 0, 0);
    let done = startStep;
    const stop = this.watch(() => [done, steps, denoiser.evaluations / (steps * plan.frameCount)]);
    for await (const step of invert({
      denoiser,
      schedule: this.inversion,
      context: contexts.source,
      latents: current.moment(startStep % 2),
      spare: current.moment((startStep + 1) % 2),
      startStep,
      keep,
      chunkSize: plan.chunkSize,
    })) {
      done = step;
      await this.checkpoint('invert', step, denoiser.evaluations);
    }
    stop();
  }

  /** After n steps the latents are in moment n mod 2 of `current`. */
  private async sample(
    contexts: Contexts,
    source: SourceTrajectory,
    current: LatentFile,
    startStep: number,
    inverted: number,
  ): Promise<LatentStore> {
    const { denoiser, plan, settings, meter } = this;
    const steps = settings.steps - plan.startStep;
    meter.begin('edit', steps);
    const total = countEvaluations(plan, settings, 0).sampling;
    let done = startStep;
    const stop = this.watch(() => [done, steps, (denoiser.evaluations - inverted) / total]);
    for await (const { step } of sample({
      denoiser,
      schedule: this.sampling,
      contexts,
      guidance: settings.guidance,
      thresholds: thresholdsOf(settings),
      propagation: settings.propagation,
      keyframesAt: (index) => this.keyframesAt(index),
      keyframeInterval: settings.keyframeInterval,
      jointLimit: plan.jointLimit,
      chunkSize: plan.chunkSize,
      startStep: plan.startStep + startStep,
      source,
      latents: current.moment(startStep % 2),
      spare: current.moment((startStep + 1) % 2),
    })) {
      done = step + 1 - plan.startStep;
      await this.checkpoint('edit', done, inverted);
    }
    stop();
    return current.moment(done % 2);
  }

  /** Keyframes depend on the seed and the step alone, so that an edit can be repeated and resumed. */
  private keyframesAt(step: number): readonly number[] {
    const random = createRandom(this.settings.seed, step);
    return sampleKeyframes(this.plan.frameCount, this.settings.keyframeInterval, (limit) =>
      random.below(limit),
    );
  }

  private async encode(latents: LatentStore): Promise<readonly string[]> {
    const { plan, clip, meter, signal, settings, job } = this;
    meter.begin('encode', plan.frameCount);
    const rate = rationalValue(clip.frameRate);
    const vae = await this.model.openDecoder(plan.latentSize);
    try {
      const encoder = await openEncoder(job.outputPath, {
        ...clip.frameSize,
        frameRate: clip.frameRate,
        codec: settings.codec,
        colour: clip.colour,
        sampleAspect: clip.sampleAspect,
        inputSize: plan.size.scaled,
        audioFrom: { clip, startSeconds: plan.startFrame / rate, endSeconds: plan.endFrame / rate },
        signal,
      });
      try {
        const onFrames = (done: number) =>
          meter.advance(done, plan.frameCount, done / plan.frameCount);
        await writeFrames(latents, plan, vae, encoder, { signal, onFrames });
        await encoder.finish();
      } catch (error) {
        await encoder.abort();
        throw error;
      }
      return encoder.notices;
    } finally {
      await vae.release();
    }
  }

  /** Reports progress after every forward until the returned function is called. */
  private watch(state: () => readonly [number, number, number]): () => void {
    this.denoiser.onForward = () => {
      throwIfCanceled(this.signal);
      this.meter.advance(...state());
    };
    return () => (this.denoiser.onForward = () => undefined);
  }

  private report(inverted: number, encoderNotices: readonly string[]): EditReport {
    const { plan, clip, settings } = this;
    const { guidance, steps, inversionSteps } = settings;
    return {
      device: this.execution.provider,
      frames: plan.frameCount,
      frameRate: clip.frameRate,
      outputSize: clip.frameSize,
      workingSize: plan.size.scaled,
      chosen: { guidance, steps, inversionSteps },
      unetEvaluations: { inversion: inverted, sampling: this.denoiser.evaluations - inverted },
      stageSeconds: this.meter.stageSeconds,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      notices: [...clip.notices, ...this.promptNotices(), ...encoderNotices],
    };
  }

  private promptNotices(): string[] {
    const { prompt, sourcePrompt, negativePrompt } = this.settings;
    const named = { prompt, 'source prompt': sourcePrompt, 'negative prompt': negativePrompt };
    return Object.entries(named).flatMap(([name, text]) => {
      const { overflow } = this.model.tokenizer.encode(text);
      return overflow === null
        ? []
        : [`The ${name} is longer than the model reads; this part was not used: "${overflow}".`];
    });
  }
}

async function copyLatents(from: LatentStore, to: LatentStore, chunkSize: number): Promise<void> {
  for (let start = 0; start < from.frameCount; start += chunkSize) {
    const end = Math.min(start + chunkSize, from.frameCount);
    await to.write(start, await from.read(frameRange(start, end)));
  }
}
