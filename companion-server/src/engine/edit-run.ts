// One edit in one way of computing, stage by stage: clip -> latents -> inversion -> TokenFlow -> frames -> clip. What
// it finds finished in its work folder it does not do again.

import path from 'node:path';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import { throwIfCanceled } from '../errors.ts';
import type { ClipInfo } from '../media/clip-info.ts';
import type { Execution } from '../onnx/execution.ts';
import { createRandom } from '../tensor/random.ts';
import { sliceRows } from '../tensor/tensor.ts';
import type { Contexts } from '../tokenflow/denoiser.ts';
import { invert } from '../tokenflow/inversion.ts';
import { sampleKeyframes } from '../tokenflow/keyframes.ts';
import { copyLatents, type LatentStore } from '../tokenflow/latents.ts';
import { sample } from '../tokenflow/sampler.ts';
import { CheckpointFile, type Checkpoint } from './checkpoint.ts';
import type { UNetDenoiser } from './denoiser.ts';
import type { ChosenSettings } from './edit-defaults.ts';
import type { EditJob } from './edit-job.ts';
import { readSource } from './edit-input.ts';
import { writeResult } from './edit-output.ts';
import { countEvaluations, planEdit, thresholdsOf, type EditPlan } from './edit-plan.ts';
import { makeReport } from './edit-report.ts';
import { planSchedules } from './edit-schedules.ts';
import { findInversionCache } from './inversion-key.ts';
import { LatentFile } from './latent-file.ts';
import type { Model } from './model.ts';
import type { ProgressMeter } from './progress-meter.ts';
import { SourceLatents } from './source-latents.ts';
import { writeNoised } from './start-noise.ts';

export interface EditRunOptions {
  readonly job: EditJob;
  readonly settings: ChosenSettings;
  readonly clip: ClipInfo;
  readonly model: Model;
  readonly execution: Execution;
  readonly meter: ProgressMeter;
  readonly onCheckpoint: (checkpoint: Checkpoint) => void;
  readonly signal: AbortSignal | undefined;
}

/** Work of the VAE per frame, in UNet forwards; for the progress only. */
const vaeWork = { decode: 1.5, encode: 3 } as const;

export class EditRun {
  private readonly options: EditRunOptions;
  private readonly plan: EditPlan;
  private readonly sampling: Schedule;
  private readonly inversion: Schedule;
  private readonly denoiser: UNetDenoiser;
  private readonly checkpoints: CheckpointFile;
  private readonly files: LatentFile[] = [];

  /** Throws EditError('invalid-request') when the in/out range holds no frame. */
  constructor(options: EditRunOptions) {
    this.options = options;
    const { job, settings, clip, model } = options;
    this.plan = planEdit(clip, model, settings);
    const { sampling, inversion } = planSchedules(model.scheduler, settings, this.plan);
    this.sampling = sampling;
    this.inversion = inversion;
    this.denoiser = model.createDenoiser(this.plan.latentSize);
    const { inputPath, modelDir, workDir } = job;
    const identity = { inputPath, modelDir, settings, plan: this.plan };
    this.checkpoints = new CheckpointFile(workDir, identity);
  }

  async run(): Promise<EditReport> {
    const { meter } = this.options;
    try {
      const resumed = await this.checkpoints.read();
      const source = await this.openSource(resumed);
      const current = await this.openCurrent(resumed);
      this.planProgress(source);
      this.denoiser.evaluations = resumed?.evaluations ?? 0;
      const contexts = await this.encodePrompts();
      if (resumed?.stage !== 'edit') {
        if (!source.isTaken)
          await this.findSource(contexts, source, current, resumed?.step ?? null);
        await this.begin(source, current.moment(0));
      }
      const inverted = resumed?.stage === 'edit' ? resumed.inversionEvaluations : this.denoiser.evaluations; // prettier-ignore
      const done = resumed?.stage === 'edit' ? resumed.step : 0;
      if (done === 0) await this.checkpoint('edit', 0, inverted);
      const keepNotice = await source.keep();
      const edited = await this.sample(contexts, source, current, done, inverted);
      const outputNotices = await this.encode(edited);
      meter.finish();
      const unetEvaluations = {
        inversion: inverted,
        sampling: this.denoiser.evaluations - inverted,
      };
      const notices = [source.notice, keepNotice, ...outputNotices].filter((notice) => notice !== null); // prettier-ignore
      return makeReport({ ...this.options, plan: this.plan, unetEvaluations, notices });
    } finally {
      await this.denoiser.release();
      for (const file of this.files) await file.close();
    }
  }

  private async openSource(resumed: Checkpoint | null): Promise<SourceLatents> {
    const { frameCount, startStep } = this.plan;
    const source = await SourceLatents.open({
      workDir: this.options.job.workDir,
      frameCount,
      frameDims: this.frameDims,
      timesteps: this.sampling.timesteps,
      startStep,
      resumed,
      cache: await findInversionCache({ ...this.options, plan: this.plan }),
    });
    this.files.push(source.file);
    return source;
  }

  /** The edit's own latents: two moments that take turns. */
  private async openCurrent(resumed: Checkpoint | null): Promise<LatentFile> {
    const { frameCount } = this.plan;
    const file = path.join(this.options.job.workDir, 'edit.latents');
    const layout = { path: file, frameCount, frameDims: this.frameDims, moments: 2 };
    const current = await (resumed === null ? LatentFile.create(layout) : LatentFile.reopen(layout)); // prettier-ignore
    this.files.push(current);
    return current;
  }

  /** [C, h, w] */
  private get frameDims(): readonly number[] {
    const { height, width } = this.plan.latentSize;
    return [this.options.model.unet.latentChannels, height, width];
  }

  private planProgress({ isTaken }: SourceLatents): void {
    const { plan, inversion } = this;
    const steps = isTaken ? 0 : inversion.timesteps.length;
    const evaluations = countEvaluations(plan, this.options.settings, steps);
    this.options.meter.plan({
      decode: isTaken ? 0 : vaeWork.decode * plan.frameCount,
      invert: evaluations.inversion,
      edit: evaluations.sampling,
      encode: vaeWork.encode * plan.frameCount,
    });
  }

  private async encodePrompts(): Promise<Contexts> {
    const { model, settings } = this.options;
    const { sourcePrompt, negativePrompt, prompt } = settings;
    const embeddings = await model.encodePrompts([sourcePrompt, negativePrompt, prompt]);
    return {
      source: sliceRows(embeddings, 0, 1),
      negative: sliceRows(embeddings, 1, 2),
      target: sliceRows(embeddings, 2, 3),
    };
  }

  /** Decodes and inverts the clip. `finishedSteps` of the inversion are done already; null for not even the decoding. */
  private async findSource(
    contexts: Contexts,
    source: SourceLatents,
    current: LatentFile,
    finishedSteps: number | null,
  ): Promise<void> {
    if (finishedSteps === null) {
      await this.decode(source.clean);
      await copyLatents(source.clean, current.moment(0), this.plan.chunkSize);
    }
    await this.invert(contexts, source, current, finishedSteps ?? 0);
  }

  private async decode(latents: LatentStore): Promise<void> {
    const onFrames = this.beginFrames('decode');
    await readSource(latents, { ...this.options, plan: this.plan, onFrames });
  }

  /** After n steps the latents are in moment n mod 2 of `current`. */
  private async invert(
    contexts: Contexts,
    source: SourceLatents,
    current: LatentFile,
    startStep: number,
  ): Promise<void> {
    const { denoiser, plan } = this;
    const steps = this.inversion.timesteps.length;
    this.options.meter.begin('invert', steps);
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
      keep: (timestep) => source.keepAt(timestep),
      chunkSize: plan.chunkSize,
    })) {
      done = step;
      await this.checkpoint('invert', step, denoiser.evaluations);
    }
    stop();
  }

  /** Puts the latents that sampling starts from into `start`. */
  private async begin(source: SourceLatents, start: LatentStore): Promise<void> {
    const { startFrame, startStep, chunkSize } = this.plan;
    const { noise, seed } = this.options.settings;
    const timestep = this.sampling.timesteps[startStep] ?? 0;
    await (noise === 'inversion'
      ? copyLatents(source.trajectory.at(timestep), start, chunkSize)
      : writeNoised(source.clean, start, { noise, seed, startFrame, timestep, schedule: this.sampling, chunkSize })); // prettier-ignore
  }

  /** After n steps the latents are in moment n mod 2 of `current`. */
  private async sample(
    contexts: Contexts,
    source: SourceLatents,
    current: LatentFile,
    startStep: number,
    inverted: number,
  ): Promise<LatentStore> {
    const { denoiser, plan } = this;
    const { settings, meter } = this.options;
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
      source: source.trajectory,
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
    const { seed, keyframeInterval } = this.options.settings;
    const random = createRandom(seed, step);
    return sampleKeyframes(this.plan.frameCount, keyframeInterval, (limit) => random.below(limit));
  }

  private async encode(latents: LatentStore): Promise<readonly string[]> {
    const onFrames = this.beginFrames('encode');
    return writeResult(latents, { ...this.options, plan: this.plan, onFrames });
  }

  /** Returns what takes the number of frames that the stage has done. */
  private beginFrames(stage: 'decode' | 'encode'): (done: number) => void {
    const { meter } = this.options;
    const { frameCount } = this.plan;
    meter.begin(stage, frameCount);
    return (done) => meter.advance(done, frameCount, done / frameCount);
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
    this.options.onCheckpoint(checkpoint);
  }

  /** Reports progress after every forward until the returned function is called. */
  private watch(state: () => readonly [number, number, number]): () => void {
    this.denoiser.onForward = () => {
      throwIfCanceled(this.options.signal);
      this.options.meter.advance(...state());
    };
    return () => (this.denoiser.onForward = () => undefined);
  }
}
