// The passes of the UNet that a step of an edit is made of, and what follows from them: how much there is to compute.

import { evaluationsOf, noInjection, type Injection, type Pass } from '../../nets/pass.ts';
import { groupKeyframes } from '../../tokenflow/keyframes.ts';
import { frameRange } from '../../tokenflow/latents.ts';
import { samplingPasses, type SamplingPasses } from '../../tokenflow/step-passes.ts';
import type { ChosenSettings } from './edit-defaults.ts';
import type { EditPlan } from './edit-plan.ts';

/** A pass, and how many frames go through it in one step, a few at a time. */
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

/** @param keyframeCounts of each scene */
export function plannedPasses(
  step: number,
  plan: EditPlan,
  settings: ChosenSettings,
  keyframeCounts: readonly number[],
): readonly PlannedPass[] {
  const { keyframes, frames, framesIncludeKeyframes } = passesAt(step, plan, settings);
  const keyframeCount = keyframeCounts.reduce((sum, count) => sum + count, 0);
  const others = framesIncludeKeyframes ? plan.frameCount : plan.frameCount - keyframeCount;
  const extended = keyframeCounts.reduce((sum, count) => sum + extendedKeyframes(plan, count, step), 0);
  return [...(keyframes === null ? [] : [{ pass: keyframes, frames: extended }]), { pass: frames, frames: others }];
}

/**
 * UNet evaluations of one latent that the edit will take, as UNetDenoiser counts them.
 * @param inversionEvaluations of a frame
 * @param keyframeCounts of each scene; by default those of a clip without cuts
 */
export function countEvaluations(
  plan: EditPlan,
  settings: ChosenSettings,
  inversionEvaluations: number,
  keyframeCounts: readonly number[] = [plan.keyframeCount],
): { readonly inversion: number; readonly sampling: number } {
  const steps = Array.from({ length: settings.steps - plan.startStep }, (_, i) => plan.startStep + i);
  const passes = steps.flatMap((step) => plannedPasses(step, plan, settings, keyframeCounts));
  return {
    inversion: inversionEvaluations * plan.frameCount,
    sampling: passes.reduce((sum, { pass, frames }) => sum + evaluationsOf(pass, frames), 0),
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

/** The scale of guidance at a sampling step; 1 for none. The reference schedule guides in every step. */
export function guidanceAt(
  step: number,
  { schedule, guidance, steps }: ChosenSettings,
  { startStep, approximations }: EditPlan,
): number {
  if (schedule === 'reference') return guidance;
  const guidedSteps = Math.max(1, Math.floor((steps - startStep) * approximations.guidanceUntil));
  return step < startStep + guidedSteps ? guidance : 1;
}

/** Keyframes of all passes with extended attention of a scene in a step, those that only take part in it included. */
function extendedKeyframes({ extendedLimit }: EditPlan, keyframeCount: number, step: number): number {
  const groups = groupKeyframes(frameRange(0, keyframeCount), extendedLimit, step);
  return groups.reduce((sum, { own, context }) => sum + own.length + context.length, 0);
}
