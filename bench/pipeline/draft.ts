// What a draft of the whole clip costs, and what it is worth against an edit in the fast pipeline.

import { atLeast, atMost, ratio, reported } from '../rows.ts';
import { describeLook, lookAt, meanLook, type Look } from './clip-quality.ts';
import type { Figure } from './figure.ts';
import { runLongEdit } from './long-edit.ts';
import { trialFrames, trialsOf } from './trials.ts';

/** The count does not depend on the size: the smallest is quickest. */
const workingEdge = 64;

export const draftTargets = { evaluations: 12, warpError: 1.1, adherence: -0.02 } as const;

export const draft: Figure = {
  name: 'draft',
  async measure(context) {
    const { editor, judge, samples, log } = context;
    const inversionsDir = await editor.newInversionsDir();
    const { report } = await runLongEdit(context, { pipeline: 'draft', workingEdge, inversionsDir });
    const { inversion, sampling } = report.unetEvaluations;
    const looks: { readonly draft: Look; readonly fast: Look }[] = [];
    // Clip by clip, so that an edit finds the source of the one before.
    for (const trial of samples.flatMap((sample) => trialsOf([sample]))) {
      const { sample, target } = trial;
      const look = async (pipeline: 'draft' | 'fast') =>
        lookAt(judge, trial, (await editor.edit(sample, trialFrames, { prompt: target.prompt, pipeline })).file);
      const both = { draft: await look('draft'), fast: await look('fast') };
      log(`${sample.name} -> ${target.prompt}: draft ${describeLook(both.draft)}; fast ${describeLook(both.fast)}`);
      looks.push(both);
    }
    const [ours, fast] = [meanLook(looks.map((both) => both.draft)), meanLook(looks.map((both) => both.fast))];
    const on = `draft : fast, ${looks.length} edits of ${trialFrames} frames`;
    const each = (value: number) => value.toFixed(1);
    const points = (value: number) => `${(100 * value).toFixed(1)} points`;
    return [
      atMost(
        `UNet evaluations per frame of a draft, ${report.frames} frames`,
        (inversion + sampling) / report.frames,
        draftTargets.evaluations,
        each,
      ),
      reported('of them again for another prompt', each(sampling / report.frames)),
      atMost(`warp error along the exact flow, ${on}`, ours.warpError / fast.warpError, draftTargets.warpError, ratio),
      reported('the same on the object alone', ratio(ours.objectWarpError / fast.objectWarpError)),
      atLeast(
        `colour and background right, draft - fast, ${looks.length} edits`,
        ours.adherence - fast.adherence,
        draftTargets.adherence,
        points,
      ),
      reported(`SSIM of edges with the source, ${on}`, ratio(ours.structure / fast.structure)),
      reported(`object still where it was (mask IoU), ${on}`, `${ratio(ours.overlap)} : ${ratio(fast.overlap)}`),
    ];
  },
};
