// What an edit will take, before it starts: nothing is loaded but the clip's and the checkpoint's headers.

import type { ClipInfo } from '../media/clip-info.ts';
import type { Size } from '../media/frame.ts';
import { probeClip } from '../media/probe.ts';
import { preferredExecution, type Execution } from '../onnx/execution.ts';
import { chooseDevice } from './device.ts';
import { chooseSettings, readEditDefaults, type ChosenSettings } from './edit-defaults.ts';
import type { EditJob } from './edit-job.ts';
import { countEvaluations, planEdit, type EditPlan } from './edit-plan.ts';
import { createSchedule } from '../diffusion/schedule.ts';
import { inversionForwards } from './edit-schedules.ts';
import { canLinkInversion } from './inversion-cache.ts';
import { findInversionCache } from './inversion-key.ts';
import { recallProbe } from './isolated-probe.ts';
import { LatentFile } from './latent-file.ts';
import { estimatePeakMemory } from './memory-estimate.ts';
import { identifyModelIn, readModelOutline, type ModelOutline } from './model.ts';
import { findRefusal, nearestFolder, readRoom, type Refusal } from './room.ts';
import { SourceLatents } from './source-latents.ts';

export interface EditEstimate {
  readonly frames: number;
  readonly workingSize: Size;
  /**
   * UNet forwards of one latent, as the edit's report counts them when it finds no inversion of before, but for those of
   * the gauge and those that it asks for.
   */
  readonly unetEvaluations: { readonly inversion: number; readonly sampling: number };
  /** Of the system on the CPU, of the device elsewhere. */
  readonly peakMemoryBytes: number;
  /** Most that the edit's latents take on disk while it runs. */
  readonly diskBytes: number;
  /** Why the edit would not be begun; null when it fits. */
  readonly refusal: Refusal | null;
}

export interface EditToAssess {
  readonly workDir: string;
  readonly clip: ClipInfo;
  readonly model: ModelOutline;
  readonly settings: ChosenSettings;
  readonly execution: Execution;
  /** Whether an inversion of before is linked in place of a new one. Only asked where the disk is short. */
  readonly isInversionKept: (plan: EditPlan) => Promise<boolean>;
}

/** The least side of a working size that is worth the name, in pixels. */
const minSide = 64;

/** Throws the EditError that the edit itself would throw at its start, but for want of memory or disk. */
export async function estimateEdit(job: EditJob): Promise<EditEstimate> {
  const clip = job.clip ?? (await probeClip(job.inputPath));
  const model = await readModelOutline(job.modelDir);
  const settings = chooseSettings(job.settings, await readEditDefaults(job.modelDir));
  const execution = await guessExecution(job);
  return assessJob(job, { clip, model, settings, execution });
}

/** The same where all that it stands on is known. */
export function assessJob(
  job: EditJob,
  edit: Omit<EditToAssess, 'workDir' | 'isInversionKept'>,
): Promise<EditEstimate> {
  return assessEdit({
    ...edit,
    workDir: job.workDir,
    isInversionKept: (plan) => isInversionKept({ ...edit, job, plan }),
  });
}

/** Whether the edit finds the inversion of an earlier one, on the same disk. */
export async function isInversionKept(edit: {
  readonly job: EditJob;
  readonly settings: ChosenSettings;
  readonly plan: EditPlan;
  readonly execution: Execution;
}): Promise<boolean> {
  const { job, plan, execution } = edit;
  const identify = () => identifyModelIn(job.modelDir, execution);
  const cache = await findInversionCache({ ...edit, model: { identify } });
  if (cache === null) return false;
  const folder = await nearestFolder(job.workDir);
  return canLinkInversion(cache.dir, { key: cache.key, startStep: plan.startStep, folder });
}

/** Throws EditError('invalid-request') when the in/out range holds no frame. */
export async function assessEdit(edit: EditToAssess): Promise<EditEstimate> {
  const { clip, model, settings, execution } = edit;
  const plan = planEdit(clip, model, settings);
  const sampling = createSchedule(model.scheduler, settings.steps);
  const forwards = inversionForwards(model.scheduler, sampling, settings, plan.startStep);
  const frames = plan.frameCount;
  const peakMemoryBytes = estimatePeakMemory(model, plan, settings, execution);
  const { sourceBytes, ownBytes } = latentBytes(model, plan, settings);
  const room = await readRoom(edit.workDir, execution.provider === 'cpu');
  const assess = (diskBytes: number) => {
    const need = { memoryBytes: peakMemoryBytes, diskBytes, frames };
    const refusal = findRefusal(need, room, (factor) => needAt(edit, plan.size.scaled, factor));
    return { diskBytes, refusal };
  };
  let disk = assess(sourceBytes + ownBytes);
  if (disk.refusal?.code === 'disk-full' && (await edit.isInversionKept(plan))) disk = assess(ownBytes); // prettier-ignore
  return {
    frames,
    workingSize: plan.size.scaled,
    unetEvaluations: countEvaluations(plan, settings, forwards),
    peakMemoryBytes,
    ...disk,
  };
}

/** What a smaller working size would take. */
function needAt(
  { clip, model, settings, execution }: EditToAssess,
  { width, height }: Size,
  factor: number,
): { readonly memoryBytes: number; readonly size: Size } | null {
  const size = { width: Math.round(factor * width), height: Math.round(factor * height) };
  if (Math.max(size.width, size.height) < minSide) return null;
  const smaller = { ...settings, size };
  const plan = planEdit(clip, model, smaller);
  return { size, memoryBytes: estimatePeakMemory(model, plan, smaller, execution) };
}

/** Of what is known of the source, and of the edit's own latents. */
function latentBytes(
  model: ModelOutline,
  plan: EditPlan,
  { steps }: ChosenSettings,
): { readonly sourceBytes: number; readonly ownBytes: number } {
  const { frameCount, latentSize, startStep } = plan;
  const frameDims = [model.unet.latentChannels, latentSize.height, latentSize.width];
  const sourceBytes = SourceLatents.sizeBytes(
    { frameCount, frameDims, recordedTokens: plan.recordedTokens, steps },
    startStep,
  );
  // The edit's own latents are two moments that take turns, the inversion's noise three.
  return { sourceBytes, ownBytes: LatentFile.sizeBytes({ frameCount, frameDims, moments: 5 }) };
}

/** The device that the edit will most likely run on. None is tried for it. */
async function guessExecution({ device, cacheDir }: EditJob): Promise<Execution> {
  if (device !== 'auto') return preferredExecution[device];
  return chooseDevice(device, (candidate, purpose) => recallProbe(candidate, purpose, cacheDir));
}
