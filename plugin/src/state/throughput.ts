// How long an edit will take, from what earlier edits took. A clip on a timeline is exported and sent only after Apply, so
// the server cannot be asked before that.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditForm } from './form.ts';
import type { Throughput } from './panel-state.ts';

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
