// How long an edit will take, from what earlier edits took. A clip on a timeline is exported and sent only after Apply, so
// the server cannot be asked before that.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';
import type { EditForm } from './form.ts';
import type { Throughput } from './panel-state.ts';

/** What a throughput is kept by: a draft takes other evaluations per step than a full edit with the same model. */
export function throughputKey(model: string, { pipeline }: Pick<EditSettings, 'pipeline'>): string {
  return pipeline === 'fast' ? model : `${model} ${pipeline}`;
}

/** Null for an edit from which no throughput follows. */
export function measureThroughput({ frames, chosen, unetEvaluations, stageSeconds }: EditReport): Throughput | null {
  const evaluations = unetEvaluations.inversion + unetEvaluations.sampling;
  const seconds = Object.values(stageSeconds).reduce((sum, stage) => sum + stage, 0);
  if (evaluations <= 0 || seconds <= 0 || frames <= 0) return null;
  return {
    secondsPerEvaluation: seconds / evaluations,
    evaluationsPerFrameStep: evaluations / (frames * chosen.steps),
    steps: chosen.steps,
  };
}

/** Seconds for so many frames, or null where nothing was measured. */
export function guessSeconds(
  throughput: Throughput | undefined,
  frames: number | null,
  { steps }: Pick<EditForm, 'steps'>,
): number | null {
  if (throughput === undefined || frames === null || frames === 0) return null;
  const evaluations = throughput.evaluationsPerFrameStep * frames * (steps ?? throughput.steps);
  return evaluations * throughput.secondsPerEvaluation;
}
