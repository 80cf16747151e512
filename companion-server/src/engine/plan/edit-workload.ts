// How much of the UNet's work an edit is, as far as its source is known.

import { scenesFor, type EditContext } from '../run/edit-context.ts';
import type { ControlOutline } from '../model/controlnets.ts';
import { controlRuns, type ControlRun } from './control-runs.ts';
import { countEvaluations, plannedPasses, type PlannedPass } from './edit-passes.ts';
import { firstInversionSteps, inversionForwards } from './edit-schedules.ts';
import type { SourceAnalysis } from '../source-cache/inversion-entry.ts';

/**
 * UNet forwards of one frame, without those of the calibration. Before the analysis is there (null) it is what a clip without
 * cuts takes whose inversion needs no further steps.
 */
export function workloadOf(
  edit: EditContext,
  analysis: SourceAnalysis | null,
  controls: readonly ControlOutline[] = [],
): {
  readonly invert: number;
  readonly edit: number;
  readonly sampling: readonly PlannedPass[];
  readonly controls: readonly ControlRun[];
} {
  const { plan, settings, sampling, model } = edit;
  const inversionSteps = analysis?.inversionSteps ?? firstInversionSteps(settings, plan.frameCount);
  const forwards = inversionForwards(model.scheduler, sampling, { ...settings, inversionSteps }, plan.startStep);
  const counts = keyframeCounts(edit, analysis?.cuts ?? []);
  const passes = plannedPasses(plan, settings, counts);
  const evaluations = countEvaluations(plan, passes, forwards);
  const runs = controlRuns(controls, plan, settings, counts);
  return { invert: evaluations.inversion, edit: evaluations.sampling, sampling: passes, controls: runs };
}

/** Of each scene, in every step. All frames of a preview are keyframes. */
function keyframeCounts(edit: EditContext, cuts: readonly number[]): readonly number[] {
  const { preview, keyframeInterval } = edit.settings;
  return scenesFor(edit, cuts).map(({ start, end }) =>
    preview ? end - start : Math.ceil((end - start) / keyframeInterval),
  );
}
