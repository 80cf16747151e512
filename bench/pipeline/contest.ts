// Kinds of edits against each other, on the same clips and prompts: what each costs and what its edits are worth.

import type { EditSettings } from '../../protocol/edit-settings.ts';
import type { EditedClip, Measured } from '../demo-world/editor.ts';
import { mean } from '../rows.ts';
import { describeLook, lookAt, meanLook, type Look } from './clip-quality.ts';
import type { PipelineContext } from './figure.ts';
import { trialFrames, trialsOf } from './trials.ts';

export interface Contestant {
  readonly label: string;
  readonly settings: Partial<EditSettings>;
  readonly measured?: Measured;
}

export interface Outcome {
  readonly label: string;
  /** Evaluations of the network per frame: of a clip's first edit for the inversion, of every edit for sampling. */
  readonly inversion: number;
  readonly sampling: number;
  readonly look: Look;
  /** Of an edit, its inversion included for the first of each clip: mean. */
  readonly seconds: number;
}

/** Edits every clip to its targets, contestant after contestant for each clip: what slows the machine meets all of them. */
export async function contest(
  { editor, judge, samples, log }: PipelineContext,
  contestants: readonly Contestant[],
): Promise<readonly Outcome[]> {
  const made = contestants.map((): { readonly look: Look; readonly edited: EditedClip }[] => []);
  for (const sample of samples) {
    for (const [i, { label, settings, measured }] of contestants.entries()) {
      for (const trial of trialsOf([sample])) {
        const change = { ...settings, prompt: trial.target.prompt };
        const edited = await editor.edit(sample, trialFrames, change, measured);
        const look = await lookAt(judge, trial, edited.file);
        log(`${sample.name} -> ${change.prompt}, ${label}: ${describeLook(look)}, ${describeCost(edited)}`);
        made[i]?.push({ look, edited });
      }
    }
  }
  return contestants.map(({ label }, i) => outcomeOf(label, made[i] ?? []));
}

function describeCost({ report: { unetEvaluations, frames } }: EditedClip): string {
  const { inversion, sampling } = unetEvaluations;
  return `${inversion} + ${sampling} evaluations in ${frames} frames`;
}

function outcomeOf(label: string, edits: readonly { readonly look: Look; readonly edited: EditedClip }[]): Outcome {
  const perFrame = (stage: 'inversion' | 'sampling') =>
    edits.map(({ edited: { report } }) => report.unetEvaluations[stage] / report.frames);
  return {
    label,
    // A clip's first edit inverts it, the others find that done.
    inversion: mean(perFrame('inversion').filter((count) => count > 0)),
    sampling: mean(perFrame('sampling')),
    look: meanLook(edits.map(({ look }) => look)),
    seconds: mean(edits.map(({ edited }) => edited.seconds)),
  };
}

/** An outcome beside the first one, in words. */
export function describeOutcome({ inversion, sampling, look, seconds }: Outcome, first: Outcome): string {
  const against = (value: number, other: number) => (value / other).toFixed(2);
  return [
    `${inversion.toFixed(1)} + ${sampling.toFixed(1)} evaluations per frame`,
    `${against(seconds, first.seconds)} x the time`,
    `${describeLook(look)} (warp ${against(look.warpError, first.look.warpError)} x)`,
    `warp on the object ${look.objectWarpError.toFixed(4)}`,
  ].join(', ');
}
