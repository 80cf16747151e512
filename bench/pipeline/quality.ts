// Whether the fast pipeline's edits are worth less than the reference's.

import { atLeast, atMost, ratio, reported } from '../rows.ts';
import type { BenchRow } from '../table.ts';
import type { Figure } from './figure.ts';
import { describeLook, lookAt, meanLook, type Look } from './clip-quality.ts';
import { trialFrames, trialsOf } from './trials.ts';

export const quality: Figure = {
  name: 'quality',
  async measure({ editor, judge, samples, references, log }) {
    const known = await references();
    const looks: { readonly fast: Look; readonly reference: Look }[] = [];
    let kept = 0;
    // Clip by clip, so that an edit in the reference pipeline finds the inversion of the one before.
    for (const trial of samples.flatMap((sample) => trialsOf([sample]))) {
      const { sample, target } = trial;
      const reference = await known.edit(sample, trialFrames, target.prompt);
      const fast = await editor.edit(sample, trialFrames, { prompt: target.prompt });
      const look = {
        fast: await lookAt(judge, trial, fast.file),
        reference: await lookAt(judge, trial, reference.file),
      };
      log(
        `${sample.name} -> ${target.prompt}: fast ${describeLook(look.fast)}; reference ${describeLook(look.reference)}${reference.isKept ? ' (a kept edit)' : ''}`,
      );
      looks.push(look);
      if (reference.isKept) kept++;
    }
    log(`${kept} of ${looks.length} edits in the reference pipeline were made in an earlier run and kept.`);
    const on = `${looks.length} edits of ${trialFrames} frames`;
    return qualityRows(meanLook(looks.map(({ fast }) => fast)), meanLook(looks.map(({ reference }) => reference)), on);
  },
};

export function qualityRows(fast: Look, reference: Look, on: string): readonly BenchRow[] {
  const shares = `${percentOf(fast.adherence)} : ${percentOf(reference.adherence)} %`;
  return [
    atMost(
      `warp error along the exact flow, fast : reference, ${on}`,
      fast.warpError / reference.warpError,
      1,
      precise,
    ),
    reported(`the same on the object alone`, precise(fast.objectWarpError / reference.objectWarpError)),
    atLeast(`colour and background right, fast - reference, ${on}`, fast.adherence - reference.adherence, 0, points),
    reported('the same, fast : reference', shares),
    atLeast(
      `SSIM of edges with the source, fast : reference, ${on}`,
      fast.structure / reference.structure,
      0.98,
      ratio,
    ),
    reported(
      `object still where it was (mask IoU), fast : reference, ${on}`,
      `${ratio(fast.overlap)} : ${ratio(reference.overlap)}`,
    ),
  ];
}

const precise = (value: number): string => value.toFixed(3);
const points = (value: number): string => `${(100 * value).toFixed(1)} points`;
const percentOf = (value: number): string => (100 * value).toFixed(1);
