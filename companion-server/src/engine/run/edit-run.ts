// One edit in one way of computing, stage by stage: clip -> latents -> inversion -> TokenFlow -> frames -> clip. It skips
// the steps that are already finished in its work folder.

import path from 'node:path';
import type { EditReport } from '../../../../protocol/edit-report.ts';
import { createSchedule } from '../../diffusion/schedule.ts';
import { throwIfCanceled } from '../../errors.ts';
import type { EncoderOptions } from '../../media/encode/encoder-options.ts';
import { damageNotice } from '../../media/probe/notices.ts';
import type { BranchConditioning } from '../../tokenflow/denoiser.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import { ResumePointFile, type ResumePoint } from './resume-point.ts';
import type { EditContext, EditRunOptions } from './edit-context.ts';
import { openControls, type OpenedControls } from './edit-controls.ts';
import { openGivenKeyframes, type GivenChange } from '../keyframes/given-keyframes.ts';
import { openEditMask, type EditMask } from '../mask/edit-mask.ts';
import { rehearseOutput, writeResult } from './edit-output.ts';
import { planEdit } from '../plan/edit-plan.ts';
import { makeReport } from './edit-report.ts';
import { guidanceBase } from './guidance-base.ts';
import { firstInversionSteps, forwardsPerStep, keepsNoisiest, keepsResiduals } from '../plan/edit-schedules.ts';
import { workloadOf } from '../plan/edit-workload.ts';
import { forecastOf, throughputOf, stageWork, type StageWork } from '../estimate/forecast.ts';
import type { SourceAnalysis } from '../source-cache/inversion-entry.ts';
import { calibrationEvaluations } from '../source-cache/inversion-calibration.ts';
import { findInversionCache } from '../source-cache/inversion-key.ts';
import { findSource } from './inversion-stage.ts';
import { keepsDetail } from './upsample-result.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import { persistThroughput, recallThroughput, type Throughput, type ThroughputKind } from '../estimate/throughput.ts';
import type { Model } from '../model/model.ts';
import { probeThroughput } from '../estimate/throughput-probe.ts';
import { beginSampling, sampleEdit } from './sampling-stage.ts';
import { SourceLatents } from '../source-cache/source-latents.ts';

/** The same model, which tells how many seconds it takes to open a network of the VAE. */
function timeOpenings(model: Model, onOpened: (seconds: number) => void): Model {
  const timed =
    (open: Model['openEncoder']): Model['openEncoder'] =>
    async (size) => {
      const start = performance.now();
      const vae = await open(size);
      onOpened((performance.now() - start) / 1000);
      return vae;
    };
  return {
    ...model,
    openEncoder: timed((size) => model.openEncoder(size)),
    openDecoder: timed((size) => model.openDecoder(size)),
  };
}

function controlled(edit: EditContext, controls: OpenedControls | null): EditContext {
  return controls === null ? edit : { ...edit, control: controls.nets };
}

interface WorkFile {
  sync(): Promise<void>;
  close(): Promise<void>;
}

export class EditRun {
  private readonly edit: EditContext;
  private readonly resumePointFile: ResumePointFile;
  private readonly files: WorkFile[] = [];
  private controls: OpenedControls | null = null;
  private mask: EditMask | null = null;
  private given: GivenChange | null = null;
  private throughput: Throughput | null = null;
  private work: StageWork | null = null;

  /** Throws EditError('invalid-request') when the in/out range holds no frame. */
  constructor(options: EditRunOptions) {
    const { job, settings, clip, model } = options;
    const plan = planEdit(clip, model, settings, { approximations: job.approximations, technique: options.technique });
    this.edit = {
      ...options,
      model: timeOpenings(model, (seconds) => options.meter.paidOnce(seconds)),
      plan,
      sampling: createSchedule(model.scheduler, settings.steps),
      denoiser: model.createDenoiser(plan.latentSize),
      replan: (analysis, calibrated) => this.replan(analysis, calibrated),
      saveResumePoint: (...state) => this.saveResumePoint(...state),
      watch: (state) => this.watch(state),
    };
    this.resumePointFile = new ResumePointFile(job.workDir, () => this.identity());
  }

  async run(): Promise<EditReport> {
    const { edit } = this;
    const { meter, denoiser } = edit;
    try {
      const encoding = await rehearseOutput(edit);
      this.controls = await openControls(edit);
      const resumed = await this.resumePointFile.read();
      const source = await this.openSource(resumed);
      const current = await this.openCurrent(resumed);
      meter.calibrated(source.analysis?.reconstructionPsnr ?? null);
      this.throughput = await recallThroughput(edit.job.cacheDir, this.throughputKind, () =>
        probeThroughput(edit.execution, { unet: edit.model.unet, latentSize: edit.plan.latentSize }),
      );
      this.planProgress(source);
      denoiser.evaluations = resumed?.evaluations ?? 0;
      denoiser.onOpened = (seconds) => meter.paidOnce(seconds);
      const conditioning = await this.encodePrompts();
      if (resumed?.stage !== 'edit') {
        const finished = resumed?.step ?? null;
        if (!source.isTaken) await findSource(edit, conditioning.source, source, current, finished);
        await beginSampling(edit, source, current.slot(0));
      }
      const isSampling = resumed?.stage === 'edit';
      const from = isSampling ? null : { clean: source.clean, conditioning: conditioning.source };
      this.mask = await openEditMask(edit, from);
      this.given = await openGivenKeyframes(edit, from);
      if (!isSampling) await this.given?.begin(current.slot(0), edit.sampling.timesteps[edit.plan.startStep] ?? 0);
      const inverted = isSampling ? resumed.inversionEvaluations : denoiser.evaluations;
      const done = isSampling ? resumed.step : 0;
      if (done === 0) await this.saveResumePoint('edit', 0, inverted);
      const keepNotice = await source.keep();
      const { mask, given } = this;
      const edited = await sampleEdit(
        controlled(edit, this.controls),
        { conditioning, source, mask, given },
        current,
        done,
        inverted,
      );
      // Their memory is the VAE's next.
      await this.closeControls();
      const outputNotices = await this.encode(edited, source.clean, encoding);
      const maskedShare = (await mask?.share()) ?? null;
      meter.finish();
      await this.persistThroughput();
      const unetEvaluations = { inversion: inverted, sampling: denoiser.evaluations - inverted };
      const damage = source.analysis?.damage ?? null;
      const damaged = damage === null ? null : damageNotice(damage);
      const givenNotices = given?.notices ?? [];
      const notices = [source.notice, keepNotice, damaged, ...givenNotices, ...outputNotices].filter(
        (notice) => notice !== null,
      );
      return makeReport({ ...edit, analysis: source.analysis, unetEvaluations, maskedShare, notices });
    } finally {
      await this.closeControls();
      await denoiser.release();
      await this.mask?.close();
      await this.given?.close();
      for (const file of this.files) await file.close();
    }
  }

  /** By what the files hold: a model may be replaced, or moved, while its job is paused. */
  private async identity(): Promise<unknown> {
    const { job, model, settings, plan } = this.edit;
    const { clipSha256, inputPath, reading, controls } = job;
    return { clip: clipSha256 ?? inputPath, model: await model.identify(), reading, controls, settings, plan };
  }

  private async closeControls(): Promise<void> {
    await this.controls?.close();
    this.controls = null;
  }

  private async openSource(resumed: ResumePoint | null): Promise<SourceLatents> {
    const { plan, sampling, job, settings } = this.edit;
    const { frameCount, startStep, cachedTokens } = plan;
    const source = await SourceLatents.open({
      workDir: job.workDir,
      frameCount,
      frameDims: this.frameDims,
      cachedTokens,
      keepsNoisiest: keepsNoisiest(settings),
      keepsResiduals: keepsResiduals(settings),
      startStep,
      resumed,
      timesteps: sampling.timesteps,
      cache: await findInversionCache(this.edit),
    });
    this.files.push(source);
    return source;
  }

  /** The edit's own latents: two slots that take turns. */
  private async openCurrent(resumed: ResumePoint | null): Promise<LatentFile> {
    const { plan, job } = this.edit;
    const file = path.join(job.workDir, 'edit.latents');
    const layout = {
      path: file,
      frameCount: plan.frameCount,
      frameDims: this.frameDims,
      slots: 2,
    };
    const current = await (resumed === null ? LatentFile.create(layout) : LatentFile.reopen(layout));
    this.files.push(current);
    return current;
  }

  /** [C, h, w] */
  private get frameDims(): readonly number[] {
    const { height, width } = this.edit.plan.latentSize;
    return [this.edit.model.unet.latentChannels, height, width];
  }

  private planProgress({ isTaken, analysis }: SourceLatents): void {
    const { plan, settings, meter } = this.edit;
    this.work = this.workOf(analysis, calibrationEvaluations(settings, plan), isTaken);
    if (this.throughput !== null) meter.plan(forecastOf(this.work, this.throughput), this.throughput.isMeasured);
  }

  private replan(analysis: SourceAnalysis, calibrated: number): void {
    this.work = this.workOf(analysis, calibrated, false);
    if (this.throughput === null) return;
    const { invert, edit } = forecastOf(this.work, this.throughput);
    this.edit.meter.correct({ invert, edit });
  }

  private workOf(analysis: SourceAnalysis | null, calibrated: number, isTaken: boolean): StageWork {
    const { plan, settings, clip, model, execution } = this.edit;
    const { invert, sampling, controls } = workloadOf(this.edit, analysis, this.controls?.outlines);
    return stageWork(model, plan, execution, {
      isTaken,
      inversion: calibrated + invert,
      sampling,
      controls,
      forwardsPerStep: forwardsPerStep(
        settings,
        analysis?.inversionSteps ?? firstInversionSteps(settings, plan.frameCount),
      ),
      decodings: keepsDetail(settings, clip, plan) ? 2 : 1,
    });
  }

  private get throughputKind(): ThroughputKind {
    const { execution, model, plan } = this.edit;
    return { execution, unet: model.unet, latentSize: plan.latentSize };
  }

  /** For the next edit: the time of the device's own work, without what came from an earlier edit. */
  private async persistThroughput(): Promise<void> {
    const { meter, job } = this.edit;
    if (this.work === null) return;
    const found = throughputOf(meter.measured, this.work, meter.stageSeconds['load'] ?? 0);
    await persistThroughput(job.cacheDir, this.throughputKind, found);
  }

  private async encodePrompts(): Promise<BranchConditioning> {
    const { model, settings, plan } = this.edit;
    const { sourcePrompt, negativePrompt, prompt, guideBy } = settings;
    const prompts = [sourcePrompt, negativePrompt, prompt];
    const [source, negative, target] = await model.conditioning(prompts, plan.size.padded);
    if (source === undefined || negative === undefined || target === undefined) {
      throw new TypeError('The model encodes not every prompt.');
    }
    return { source, negative: guidanceBase(guideBy, { source, negative }), target };
  }

  private async encode(latents: LatentStore, clean: LatentStore, encoding: EncoderOptions): Promise<readonly string[]> {
    const { meter, plan } = this.edit;
    const { frameCount } = plan;
    meter.begin('encode', frameCount);
    const onFrames = (done: number) => meter.advance(done, frameCount, done / frameCount);
    return writeResult(latents, { ...this.edit, clean, encoding, mask: this.mask, given: this.given, onFrames });
  }

  /** The latents first, so that after a power failure the latents of a resume point on the disk are on the disk too. */
  private async saveResumePoint(
    stage: ResumePoint['stage'],
    step: number,
    inversionEvaluations: number,
  ): Promise<void> {
    const { evaluations } = this.edit.denoiser;
    const resumePoint = { stage, step, evaluations, inversionEvaluations };
    for (const file of this.files) await file.sync();
    await this.resumePointFile.write(resumePoint);
    this.edit.onResumePoint(resumePoint);
  }

  private watch(state: () => readonly [number, number, number]): () => void {
    const { denoiser, meter, signal } = this.edit;
    denoiser.onForward = () => {
      throwIfCanceled(signal);
      meter.advance(...state());
    };
    return () => (denoiser.onForward = () => undefined);
  }
}
