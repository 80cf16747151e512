// The passes of the UNet in a step of an edit, and the amount of computation that follows from them.

import { evaluationsOf, noInjection, type Injection, type Pass } from '../../nets/pass.ts';
import { groupKeyframes } from '../../tokenflow/keyframes.ts';
import { frameRange } from '../../tokenflow/latents.ts';
import { samplingPasses, type SamplingPasses } from '../../tokenflow/step-passes.ts';
import type { ChosenSettings } from './edit-defaults.ts';
import type { EditPlan } from './edit-plan.ts';

/** A pass, and how many frames go through it: at once if they depend on each other, else a few at a time. */
export interface PlannedPass {
  readonly pass: Pass;
  readonly frames: number;
}

/** The passes of sampling step `step`. */
export function passesAt(step: number, plan: EditPlan, settings: ChosenSettings): SamplingPasses {
  const { sourceMode, frameGuidance } = plan;
  const guided = guidanceAt(step, settings, plan) !== 1;
  return samplingPasses({ sourceMode, frameGuidance, guided, injection: injectionOf(step, settings, plan) });
}

/**
 * The passes of all sampling steps.
 * @param keyframeCounts of each scene; by default those of a clip without cuts
 */
export function plannedPasses(
  plan: EditPlan,
  settings: ChosenSettings,
  keyframeCounts: readonly number[] = [plan.keyframeCount],
): readonly PlannedPass[] {
  const steps = Array.from({ length: settings.steps - plan.startStep }, (_, i) => plan.startStep + i);
  return steps.flatMap((step) => {
    const { together, others } = plannedStep(step, plan, settings, keyframeCounts);
    return [...together, others];
  });
}

/** The passes of a sampling step: those over keyframes, none where every frame is edited alone, and that over the others. */
export function plannedStep(
  step: number,
  plan: EditPlan,
  settings: ChosenSettings,
  keyframeCounts: readonly number[],
): { readonly together: readonly PlannedPass[]; readonly others: PlannedPass } {
  const { keyframes, frames, framesIncludeKeyframes } = passesAt(step, plan, settings);
  const keyframeCount = keyframeCounts.reduce((sum, count) => sum + count, 0);
  const others = framesIncludeKeyframes ? plan.frameCount : plan.frameCount - keyframeCount;
  const groups = keyframeCounts.flatMap((count) => groupSizes(plan, count, step));
  return {
    together: keyframes === null ? [] : groups.map((size) => ({ pass: keyframes, frames: size })),
    others: { pass: frames, frames: others },
  };
}

/**
 * UNet evaluations of one latent that the edit will take, as UNetDenoiser counts them.
 * @param inversionEvaluations of a frame
 * @param sampling the passes of all sampling steps
 */
export function countEvaluations(
  plan: Pick<EditPlan, 'frameCount'>,
  sampling: readonly PlannedPass[],
  inversionEvaluations: number,
): { readonly inversion: number; readonly sampling: number } {
  return {
    inversion: inversionEvaluations * plan.frameCount,
    sampling: sampling.reduce((sum, { pass, frames }) => sum + evaluationsOf(pass, frames), 0),
  };
}

/** What is injected from the source at a sampling step. */
export function injectionOf(
  step: number,
  settings: ChosenSettings,
  { technique }: Pick<EditPlan, 'technique'>,
): Injection {
  return technique.injectionAt?.(step, settings) ?? noInjection;
}

/** The scale of guidance at a sampling step; 1 for none. The reference pipeline guides in every step. */
export function guidanceAt(
  step: number,
  { pipeline, guidance, steps }: ChosenSettings,
  { startStep, approximations }: EditPlan,
): number {
  if (pipeline === 'reference') return guidance;
  const guidedSteps = Math.max(1, Math.floor((steps - startStep) * approximations.guidanceUntil));
  return step < startStep + guidedSteps ? guidance : 1;
}

/** Keyframes of each pass with extended attention of a scene in a step, those that only take part in it included. */
function groupSizes({ extendedLimit }: EditPlan, keyframeCount: number, step: number): readonly number[] {
  const groups = groupKeyframes(frameRange(0, keyframeCount), extendedLimit, step);
  return groups.map(({ own, context }) => own.length + context.length);
}
