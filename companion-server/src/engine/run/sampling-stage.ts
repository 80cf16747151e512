// From the noise to the edited latents, with cached or recomputed correspondences of the source.

import type { BranchConditioning } from '../../tokenflow/denoiser.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import type { PropagationRule } from '../../tokenflow/keyframe-neighbours.ts';
import { sample, type SampledStep, type SourceBranch } from '../../tokenflow/sampler.ts';
import { maskLatents } from '../../mask/apply-mask.ts';
import type { GivenChange } from '../keyframes/given-keyframes.ts';
import type { EditMask } from '../mask/edit-mask.ts';
import { keyframesFor, scenesFor, type EditContext } from './edit-context.ts';
import { guidanceAt, injectionOf } from '../plan/edit-passes.ts';
import { keepsResiduals, planInversion } from '../plan/edit-schedules.ts';
import { workloadOf } from '../plan/edit-workload.ts';
import type { LatentFile } from '../source-cache/latent-file.ts';
import type { SourceLatents } from '../source-cache/source-latents.ts';
import { growPicture, type GrowingPictures } from './growing-picture.ts';
import { writeNoised, writeOfficialStart, writeTurned } from './initial-latents.ts';

/** Puts the latents that sampling starts from into `start`. */
export async function beginSampling(
  { plan, settings, sampling, model }: EditContext,
  source: SourceLatents,
  start: LatentStore,
): Promise<void> {
  const { frames, startStep, chunkSize } = plan;
  const { initialNoise, seed, pipeline } = settings;
  const timestep = sampling.timesteps[startStep] ?? 0;
  const { clean } = source;
  const at = { seed, timestep, schedule: sampling, chunkSize };
  if (initialNoise !== 'inversion') return writeNoised(clean, start, { ...at, initialNoise, frames });
  if (pipeline === 'reference') {
    const [end = timestep] = planInversion(model.scheduler, sampling, settings, startStep).timesteps;
    return writeOfficialStart({ clean, noisiest: source.noisiest, start }, { ...at, end });
  }
  return writeTurned({ clean, inverted: source.trajectory.at(timestep), start }, at);
}

/** The data of one edit that sampling needs. */
export interface SamplingInputs {
  readonly conditioning: BranchConditioning;
  readonly source: SourceLatents;
  /** Where the edit may change the clip; null for everywhere. */
  readonly mask: EditMask | null;
  /** Keyframes that were edited by hand; null for none. */
  readonly given: GivenChange | null;
}

/**
 * Returns the edited latents. `finished` steps are done already; after n steps the latents are in slot n mod 2 of
 * `current`. `inverted` of the evaluations so far were the inversion's.
 */
export async function sampleEdit(
  edit: EditContext,
  inputs: SamplingInputs,
  current: LatentFile,
  finished: number,
  inverted: number,
): Promise<LatentStore> {
  const { denoiser, plan, settings, meter } = edit;
  const { source } = inputs;
  const steps = settings.steps - plan.startStep;
  const total = workloadOf(edit, source.analysis).edit;
  const share = (): number => (denoiser.evaluations - inverted) / total;
  meter.begin('edit', steps, finished, share());
  let done = finished;
  const stop = edit.watch(() => [done, steps, share()]);
  const before = current.slot(finished % 2);
  const after = current.slot((finished + 1) % 2);
  const { onPicture = null } = edit;
  const pictures = onPicture === null ? null : growPicture(edit, source.clean, onPicture);
  try {
    const clip = { startStep: plan.startStep + finished, latents: before, next: after };
    for await (const { step } of sampleClip(edit, inputs, clip, pictures)) {
      done = step + 1 - plan.startStep;
      await edit.saveResumePoint('edit', done, inverted);
    }
  } finally {
    await pictures?.release();
  }
  stop();
  return current.slot(done % 2);
}

interface SampledClip {
  readonly startStep: number;
  readonly latents: LatentStore;
  readonly next: LatentStore;
}

function sampleClip(
  edit: EditContext,
  { conditioning, source, mask, given }: SamplingInputs,
  { startStep, latents, next }: SampledClip,
  pictures: GrowingPictures | null,
): AsyncGenerator<SampledStep, void> {
  const { denoiser, plan, settings, sampling: schedule } = edit;
  const { chunkSize, maxLatents, extendedLimit, frameGuidance, technique } = plan;
  const scenes = scenesFor(edit, source.analysis?.cuts ?? []);
  return sample({
    denoiser,
    schedule,
    conditioning,
    startStep,
    chunkSize,
    maxLatents,
    extendedLimit,
    frameGuidance,
    scenes,
    latents,
    next,
    source: sourceBranchOf(edit, source),
    ...(edit.control && { control: edit.control }),
    ...(pictures === null ? {} : { onPrediction: pictures.onPrediction }),
    propagation: propagationOf(settings),
    keyframeInterval: settings.keyframeInterval,
    injectionAt: (step) => injectionOf(step, settings, plan),
    afterStep: async (step) => {
      const changed = (await technique.afterStep?.(step, settings)) ?? step.latents;
      const below = schedule.timesteps[step.index + 1] ?? null;
      const latents = given === null ? changed : await given.afterStep(step, changed, below);
      return mask === null ? latents : maskLatents(latents, await step.source(), await mask.weightsOf(step.frames));
    },
    keyframesAt: (step) => keyframesFor(edit, scenes, step),
    guidanceAt: (step) => guidanceAt(step, settings, plan),
  });
}

function sourceBranchOf({ plan, settings }: EditContext, source: SourceLatents): SourceBranch {
  const latents = source.trajectory;
  const { clean } = source;
  // What was missed is missed under the noise of the inversion alone.
  const addsResiduals = keepsResiduals(settings) && settings.initialNoise === 'inversion';
  const residualAt = addsResiduals ? (timestep: number) => source.residualAt(timestep) : null;
  if (plan.sourceMode !== 'cached') return { mode: plan.sourceMode, latents, clean, residualAt };
  // All frames of a preview are keyframes: nothing was cached and nothing is read.
  const correspondences = plan.cachedTokens === null ? noCorrespondences : source.correspondences;
  return { mode: 'cached', latents, clean, residualAt, correspondences };
}

/** A preview's frames are all keyframes, which take their own tokens; the reference rule would count them as a run. */
function propagationOf({ preview, propagation }: EditContext['settings']): PropagationRule {
  return propagation === 'reference' && !preview ? 'reference' : 'paper';
}

const refuse = () => Promise.reject(new TypeError('A preview has no correspondences.'));
const noCorrespondences = { read: refuse, write: refuse };
