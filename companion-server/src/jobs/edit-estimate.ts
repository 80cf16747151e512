// What an edit needs on this machine. The engine counts the work, memory and disk space, and computes the time from the
// throughput of earlier edits. If the engine can only guess, the last edit by the same model gives the throughput.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { Estimate } from '../../../protocol/estimate.ts';
import type { EditEstimate } from '../engine/estimate/estimate.ts';

/** The user is warned about an edit that takes longer than this, in seconds. */
const longSeconds = 3_600;

/** `past`: the report of the last edit by the same model; null when there was none. */
export function toEstimate(work: EditEstimate, past: EditReport | null): Estimate {
  const { frames, unetEvaluations, peakMemoryBytes, diskBytes, refusal } = work;
  const told = work.isThroughputMeasured || past === null ? null : secondsOf(work, past);
  const seconds = told ?? work.seconds;
  return {
    frames,
    unetEvaluations: unetEvaluations.inversion + unetEvaluations.sampling,
    seconds,
    peakMemoryBytes,
    diskBytes,
    fits: refusal === null,
    advice: refusal === null ? longAdvice(seconds) : `${refusal.message} ${refusal.hint}`,
  };
}

/** The work of the UNet grows with the pixels, as does that of the VAE; loading takes as long as before. */
function secondsOf(work: EditEstimate, past: EditReport): number | null {
  const pixels = ({ width, height }: { width: number; height: number }): number => width * height;
  const growth = pixels(work.workingSize) / pixels(past.workingSize);
  const spent = (...stages: readonly string[]): number =>
    stages.reduce((sum, stage) => sum + (past.stageSeconds[stage] ?? 0), 0);
  const count = ({ inversion, sampling }: EditEstimate['unetEvaluations']): number => inversion + sampling;
  const pastCount = count(past.unetEvaluations);
  if (pastCount === 0 || past.frames === 0) return null;
  const perEvaluation = spent('invert', 'edit') / pastCount;
  const perFrame = spent('decode', 'encode') / past.frames;
  const computing = perEvaluation * count(work.unetEvaluations) + perFrame * work.frames;
  return spent('load') + growth * computing;
}

function longAdvice(seconds: number): string | null {
  if (seconds <= longSeconds) return null;
  return 'A shorter part of the clip, a smaller size or fewer steps take less time.';
}
