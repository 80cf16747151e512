// The estimate of an edit before it starts. It only loads the headers of the clip and of the checkpoint.

import { throwIfCanceled } from '../../errors.ts';
import type { ModelFamily, ModelOutline } from '../../families/family.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { Size } from '../../media/frame.ts';
import { probeClip } from '../../media/probe/probe.ts';
import type { Technique } from '../../techniques/technique.ts';
import { preferredExecution, type Execution } from '../../onnx/execution.ts';
import { chooseDevice } from '../device/device.ts';
import { chooseSettings, readEditDefaults, type ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditJob } from '../run/edit-job.ts';
import { countEvaluations, plannedPasses } from '../plan/edit-passes.ts';
import { planEdit, type EditPlan } from '../plan/edit-plan.ts';
import { createSchedule } from '../../diffusion/schedule.ts';
import {
  firstInversionSteps,
  forwardsPerStep,
  inversionForwards,
  keepsNoisiest,
  keepsResiduals,
} from '../plan/edit-schedules.ts';
import { forecastSeconds, stageWork } from './forecast.ts';
import { shownToModel } from '../run/model-view.ts';
import { keepsDetail } from '../run/upsample-result.ts';
import { canLinkInversion, hasInversion } from '../source-cache/inversion-cache.ts';
import { calibrationEvaluations } from '../source-cache/inversion-calibration.ts';
import { findInversionCache } from '../source-cache/inversion-key.ts';
import { recallProbe } from '../device/isolated-probe.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import { estimatePeakMemory } from './memory-estimate.ts';
import { identifyCheckpoint, readModelOutline } from '../model/model.ts';
import { findRefusal, nearestFolder, readResources, type Refusal } from './resources.ts';
import { recallThroughput } from './throughput.ts';
import { probeThroughput } from './throughput-probe.ts';
import { SourceLatents, type InversionCache } from '../source-cache/source-latents.ts';

/** What an edit needs, independent of the machine's throughput. */
export interface EditNeeds {
  readonly frames: number;
  readonly workingSize: Size;
  /**
   * UNet forwards of one latent, as the edit's report counts them, without those of the calibration and those that the
   * calibration adds. Without those of the inversion, if that of an earlier edit is cached.
   */
  readonly unetEvaluations: { readonly inversion: number; readonly sampling: number };
  /** Of the system on the CPU, of the device elsewhere. */
  readonly peakMemoryBytes: number;
  /** Most bytes of the edit's latents on disk while it runs. */
  readonly diskBytes: number;
  /** Why the edit would not start; null when it fits. */
  readonly refusal: Refusal | null;
}

export interface EditEstimate extends EditNeeds {
  /** Of the whole edit. */
  readonly seconds: number;
  /** Whether that is the throughput of earlier edits of the kind, or a guess. */
  readonly isThroughputMeasured: boolean;
}

export interface EditToAssess {
  readonly workDir: string;
  readonly clip: ClipInfo;
  readonly model: ModelOutline;
  readonly settings: ChosenSettings;
  /** By default the one that the settings name. */
  readonly technique?: Technique;
  readonly execution: Execution;
  /** Whether a cached inversion is linked instead of a new one. Only called when disk space is short. */
  readonly isInversionLinked: (plan: EditPlan) => Promise<boolean>;
}

/** The smallest useful side of a working size, in pixels. */
const minSide = 64;

/**
 * Throws the EditError that the edit itself would throw at its start, except for a lack of memory or disk space;
 * CanceledError soon after `signal` is aborted.
 */
export async function estimateEdit(job: EditJob, signal?: AbortSignal): Promise<EditEstimate> {
  throwIfCanceled(signal);
  const clip = shownToModel(job.clip ?? (await probeClip(job.inputPath, signal)), job.settings);
  throwIfCanceled(signal);
  const model = await readModelOutline(job.modelDir, undefined, job);
  throwIfCanceled(signal);
  const settings = chooseSettings(job.settings, await readEditDefaults(job.modelDir, model.defaults), job.inversion);
  const execution = await guessExecution(job);
  const plan = planEdit(clip, model, settings);
  const isTaken = await isInversionKept({ job, clip, model, settings, plan, execution });
  throwIfCanceled(signal);
  const assessed = await assessJob(job, { clip, model, settings, execution });
  const { inversion, sampling } = assessed.unetEvaluations;
  const work = stageWork(model, plan, execution, {
    isTaken,
    inversion: inversion + calibrationEvaluations(settings, plan),
    sampling: plannedPasses(plan, settings),
    forwardsPerStep: forwardsPerStep(settings, firstInversionSteps(settings, plan.frameCount)),
    decodings: keepsDetail(settings, clip, plan) ? 2 : 1,
  });
  const kind = { execution, unet: model.unet, latentSize: plan.latentSize };
  throwIfCanceled(signal);
  const probe = async () => probeThroughput(await triedExecution(job, execution), kind, signal);
  const throughput = await recallThroughput(job.cacheDir, kind, probe);
  return {
    ...assessed,
    unetEvaluations: { inversion: isTaken ? 0 : inversion, sampling },
    seconds: forecastSeconds(work, throughput),
    isThroughputMeasured: throughput.isMeasured,
  };
}

/** The same when all its inputs are known. */
export function assessJob(
  job: EditJob,
  edit: Omit<EditToAssess, 'workDir' | 'isInversionLinked'> & Pick<EditToLookUp, 'families'>,
): Promise<EditNeeds> {
  return assessEdit({
    ...edit,
    workDir: job.workDir,
    isInversionLinked: (plan) => isInversionLinked({ ...edit, job, plan }),
  });
}

interface EditToLookUp {
  readonly job: EditJob;
  readonly clip: Pick<ClipInfo, 'toneMapping'>;
  readonly model: Pick<ModelOutline, 'scheduler'>;
  readonly settings: ChosenSettings;
  readonly plan: EditPlan;
  readonly execution: Execution;
  /** The families of checkpoints; all of families/list.ts when left out. */
  readonly families?: readonly ModelFamily[] | undefined;
}

/** Whether the edit finds the inversion of an earlier one. It is not read for that, and may turn out to be damaged. */
export async function isInversionKept(edit: EditToLookUp): Promise<boolean> {
  const cache = await cacheOf(edit);
  return cache !== null && hasInversion(cache.dir, { key: cache.key, startStep: edit.plan.startStep });
}

/** The same, on the same disk, so that it needs no more space. */
export async function isInversionLinked(edit: EditToLookUp): Promise<boolean> {
  const cache = await cacheOf(edit);
  if (cache === null) return false;
  const folder = await nearestFolder(edit.job.workDir);
  return canLinkInversion(cache.dir, { key: cache.key, startStep: edit.plan.startStep, folder });
}

function cacheOf(edit: EditToLookUp): Promise<InversionCache | null> {
  const { job, execution, families } = edit;
  const { modelDir: dir, reading, loras, embeddings, vae, cacheDir } = job;
  const identify = () => identifyCheckpoint({ dir, reading, loras, embeddings, vae, cacheDir, execution, families });
  return findInversionCache({ ...edit, model: { identify, scheduler: edit.model.scheduler } });
}

/** Throws EditError('invalid-request') when the in/out range holds no frame. */
export async function assessEdit(edit: EditToAssess): Promise<EditNeeds> {
  const { clip, model, settings, technique, execution } = edit;
  const plan = planEdit(clip, model, settings, { technique });
  const sampling = createSchedule(model.scheduler, settings.steps);
  const inversionSteps = firstInversionSteps(settings, plan.frameCount);
  const forwards = inversionForwards(model.scheduler, sampling, { ...settings, inversionSteps }, plan.startStep);
  const frames = plan.frameCount;
  const peakMemoryBytes = estimatePeakMemory(model, plan, settings, execution);
  const { sourceBytes, ownBytes } = latentBytes(model, plan, settings);
  const room = await readResources(edit.workDir, execution.provider === 'cpu');
  const assess = (diskBytes: number) => {
    const need = { memoryBytes: peakMemoryBytes, diskBytes, frames };
    const refusal = findRefusal(need, room, (factor) => needAt(edit, plan.size.scaled, factor));
    return { diskBytes, refusal };
  };
  let disk = assess(sourceBytes + ownBytes);
  if (disk.refusal?.code === 'disk-full' && (await edit.isInversionLinked(plan))) disk = assess(ownBytes);
  return {
    frames,
    workingSize: plan.size.scaled,
    unetEvaluations: countEvaluations(plan, plannedPasses(plan, settings), forwards),
    peakMemoryBytes,
    ...disk,
  };
}

/** What a smaller working size would need. */
function needAt(
  { clip, model, settings, technique, execution }: EditToAssess,
  { width, height }: Size,
  factor: number,
): { readonly memoryBytes: number; readonly size: Size } | null {
  const size = { width: Math.round(factor * width), height: Math.round(factor * height) };
  if (Math.max(size.width, size.height) < minSide) return null;
  const smaller = { ...settings, size };
  const plan = planEdit(clip, model, smaller, { technique });
  return { size, memoryBytes: estimatePeakMemory(model, plan, smaller, execution) };
}

/** Of the cached source data, and of the edit's own latents. */
function latentBytes(
  model: ModelOutline,
  plan: EditPlan,
  settings: ChosenSettings,
): { readonly sourceBytes: number; readonly ownBytes: number } {
  const { frameCount, latentSize, startStep } = plan;
  const frameDims = [model.unet.latentChannels, latentSize.height, latentSize.width];
  const sourceBytes = SourceLatents.sizeBytes(
    {
      frameCount,
      frameDims,
      cachedTokens: plan.cachedTokens,
      steps: settings.steps,
      keepsNoisiest: keepsNoisiest(settings),
      keepsResiduals: keepsResiduals(settings),
    },
    startStep,
  );
  // The coarse inversion has the keyframes only: the clip's own latents and half of the steps.
  const isHelped = plan.cachedTokens !== null && (settings.calibrates || settings.inversionSteps > settings.steps);
  const coarse = isHelped ? Math.min(plan.keyframeCount, plan.extendedLimit) : 0;
  const looksBytes = LatentFile.sizeBytes({
    frameCount: coarse,
    frameDims,
    slots: 1 + Math.ceil(settings.steps / 2),
  });
  // The edit's own latents are two slots that take turns, the inversion's noise three.
  return {
    sourceBytes: sourceBytes + looksBytes,
    ownBytes: LatentFile.sizeBytes({ frameCount, frameDims, slots: 5 }),
  };
}

/** A device that has not been tried yet may crash the process: the CPU is tried instead. */
async function triedExecution({ device, cacheDir }: EditJob, execution: Execution): Promise<Execution> {
  if (device === 'auto' || device === 'cpu') return execution;
  return (await recallProbe(device, 'check', cacheDir)).execution ?? preferredExecution.cpu;
}

/** The device that the edit will most likely run on. None is tried for it. */
async function guessExecution({ device, cacheDir }: EditJob): Promise<Execution> {
  if (device !== 'auto') return preferredExecution[device];
  return chooseDevice(device, (candidate, purpose) => recallProbe(candidate, purpose, cacheDir));
}
