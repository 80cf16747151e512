// Everything that a clip's inverted latents depend on, in one hash: equal keys mean equal latents, to the bit.

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { SchedulerConfig } from '../../diffusion/scheduler-config.ts';
import { findProgram } from '../../media/ffmpeg/binaries.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { Execution } from '../../onnx/execution.ts';
import { version } from '../../app/version.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditJob } from '../run/edit-job.ts';
import { knowsScenes, type EditPlan } from '../plan/edit-plan.ts';
import type { Model } from '../model/model.ts';
import type { InversionCache } from './source-latents.ts';

export interface InversionKeyParts {
  readonly clipSha256: string;
  /** From model-identity.ts. */
  readonly model: string;
  /** Of the model as the edit uses it: a name may make it one of few steps, with steps of another kind. */
  readonly scheduler: SchedulerConfig;
  readonly settings: ChosenSettings;
  readonly plan: EditPlan;
  readonly execution: Execution;
  /** What the model is shown depends on it. */
  readonly clip: Pick<ClipInfo, 'toneMapping'>;
}

/**
 * 64 hexadecimal digits. Where the sampling starts is not part of it: an inversion goes up from the clip, and one that
 * goes further passes through the same latents.
 */
export async function inversionKey(parts: InversionKeyParts): Promise<string> {
  const { clipSha256, model, scheduler, settings, plan, execution, clip } = parts;
  const { startFrame, endFrame, size, chunkSize, vaeChunkSize, keyframeSeed } = plan;
  const {
    sourcePrompt,
    steps,
    inversionSteps,
    pipeline,
    inversion,
    calibrates,
    preview,
    keyframeInterval,
    keyframes = [],
  } = settings;
  const identity = [
    // Another version may compute, and another ffmpeg decode, a little differently.
    ...[version, await programOf('ffmpeg')],
    ...[clipSha256, startFrame, endFrame, size],
    ...[model, scheduler, sourcePrompt, steps, pipeline, inversion, calibrates ? 'calibrated' : inversionSteps],
    // Cuts are part of what is kept.
    ...(knowsScenes(settings) ? ['scenes'] : []),
    // Keyframes, and so the correspondences, depend on these.
    ...(plan.cachedTokens === null ? [] : [keyframeSeed, keyframeInterval, ...givenFrames(keyframes)]),
    ...(preview ? [plan.frames] : []),
    ...(clip.toneMapping === undefined ? [] : [`tone-mapped from ${clip.toneMapping}`]),
    // Sums over other batches, by other instructions, are rounded in another order.
    ...[chunkSize, vaeChunkSize, execution],
    ...[os.arch(), os.cpus()[0]?.model ?? '', os.availableParallelism()],
  ];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** What the given pictures show is not the source's matter. */
function givenFrames(keyframes: readonly { readonly frame: number }[]): readonly string[] {
  if (keyframes.length === 0) return [];
  return [
    `given ${keyframes
      .map(({ frame }) => frame)
      .sort((a, b) => a - b)
      .join()}`,
  ];
}

/** Where the inversion of this edit is kept, or null when the job does not say where or of which clip. */
export async function findInversionCache({
  job,
  model,
  settings,
  plan,
  execution,
  clip,
}: {
  readonly job: EditJob;
  readonly model: Pick<Model, 'identify' | 'scheduler'>;
  readonly settings: ChosenSettings;
  readonly plan: EditPlan;
  readonly execution: Execution;
  readonly clip: Pick<ClipInfo, 'toneMapping'>;
}): Promise<InversionCache | null> {
  const { clipSha256 = null, inversionsDir: dir = null, inversionsBudgetBytes } = job;
  if (clipSha256 === null || dir === null || inversionsBudgetBytes === 0) return null;
  const { scheduler } = model;
  const parts = { clipSha256, model: await model.identify(), scheduler, settings, plan, execution, clip };
  const { inversionSteps, steps, sourcePrompt } = settings;
  return {
    dir,
    key: await inversionKey(parts),
    facts: {
      clipSha256,
      startFrame: plan.startFrame,
      endFrame: plan.endFrame,
      workingSize: plan.size.scaled,
      inversionSteps,
      steps,
      sourcePrompt,
      model: path.basename(job.modelDir),
    },
    budgetBytes: inversionsBudgetBytes ?? null,
  };
}

async function programOf(name: 'ffmpeg'): Promise<readonly (string | number)[]> {
  const program = await findProgram(name);
  const { size, mtimeMs } = await stat(program);
  return [program, size, mtimeMs];
}
