// What a preview and its edit share. A preview inverts its keyframes by steps twice as long, with one forward each. The edit
// begins with that walk as well: where both come by, what the network saw there tells how far a straight line misses, and
// stands for the first forward of the edit's own step. Whichever comes first makes the walk; it is kept as the preview's
// inversion, so that nothing is looked at twice.

import path from 'node:path';
import { anticipateNoise, noiseOfStep } from '../diffusion/inversion-step.ts';
import { createSchedule, type Schedule } from '../diffusion/schedule.ts';
import { takeRows, tensor, type Tensor } from '../tensor/tensor.ts';
import { weightedSum } from '../tensor/weighted-sum.ts';
import { HeldLatents } from '../tokenflow/held-latents.ts';
import { frameRange, type LatentStore } from '../tokenflow/latents.ts';
import { recordSource, type EarlierLooks } from '../tokenflow/record-source.ts';
import { previewOf, type ChosenSettings } from './edit-defaults.ts';
import type { EditContext } from './edit-context.ts';
import { planEdit, type EditPlan } from './edit-plan.ts';
import type { SourceFindings } from './inversion-entry.ts';
import { findInversionCache } from './inversion-key.ts';
import { LatentFile } from './latent-file.ts';
import { keepOrTell, takeOrTell } from './source-latents.ts';

/** The walk of a preview through its keyframes, as far up as the edit goes. */
interface Walk {
  readonly settings: ChosenSettings;
  readonly plan: EditPlan;
  /** The keyframes, counted among the frames of the edit. */
  readonly rows: readonly number[];
  readonly schedule: Schedule;
  /** The first of the preview's sampling steps that it comes to. */
  readonly startStep: number;
}

export interface OpenLooks extends EarlierLooks {
  /** Forwards of a frame that were saved, because an earlier job had made the walk. */
  readonly savedEvaluations: number;
  close(): Promise<void>;
}

const fileName = 'looks.latents';
/** A straight line misses by the square of its step, and the walk's steps are twice as long. */
const missedShare = 1 / 4;

/**
 * Null where the edit's steps are not the preview's cut in two, and where a step takes a single forward, which a look cannot
 * stand for: the edit's own is at another place.
 * @param text embedding of what the clip shows [1, tokens, D]
 * @param isWalked whether this job has made the walk before it was cut short
 */
export async function openLooks(
  edit: EditContext,
  text: Tensor,
  clean: LatentStore,
  findings: SourceFindings,
  isWalked: boolean,
): Promise<OpenLooks | null> {
  const walk = findings.inversionSteps > edit.settings.steps ? planWalk(edit) : null;
  if (walk === null) return null;
  const { startStep } = walk;
  const file = path.join(edit.job.workDir, fileName);
  const layoutFrom = (step: number) => layoutOf(edit, walk, step, file);
  if (isWalked) return looksIn(await LatentFile.openWhole(layoutFrom(startStep)), walk, 0);
  const cache = await findInversionCache({ ...edit, ...walk });
  const sizeBytes = (step: number) => LatentFile.sizeBytes(layoutFrom(step));
  const taken = cache === null ? null : await takeOrTell(cache, { startStep, sizeBytes, file });
  if (taken?.startStep === startStep) {
    const saved = walk.rows.length * (walk.schedule.timesteps.length - startStep);
    return looksIn(await LatentFile.openWhole(layoutFrom(startStep)), walk, saved);
  }
  const latents = await LatentFile.create(layoutFrom(startStep));
  await takeWalk(edit, text, clean, walk, latents);
  await latents.sync();
  if (cache !== null) await keepOrTell(cache, { findings: findingsOf(walk, findings), startStep, file });
  return looksIn(latents, walk, 0);
}

/** What the preview would have found out. */
function findingsOf({ settings, rows }: Walk, { cuts }: SourceFindings): SourceFindings {
  const first = cuts.map((cut) => rows.findIndex((row) => row >= cut));
  return {
    cuts: [...new Set(first)].filter((row) => row > 0),
    inversionSteps: settings.inversionSteps,
    reconstructionPsnr: null,
  };
}

function planWalk({ clip, model, settings, plan, sampling, job }: EditContext): Walk | null {
  // Elsewhere keyframes are not the clip's own, and no part of what its inversion is known by.
  if (plan.recordedTokens === null) return null;
  const preview = previewOf(settings);
  const previewPlan = planEdit(clip, model, preview, job.savings);
  const schedule = createSchedule(model.scheduler, preview.steps);
  if (!schedule.timesteps.every((timestep) => sampling.timesteps.includes(timestep))) return null;
  const top = sampling.timesteps[plan.startStep] ?? 0;
  const startStep = schedule.timesteps.findIndex((timestep) => timestep <= top);
  if (startStep < 0) return null;
  const rows = previewPlan.frames.map((frame) => frame - plan.startFrame);
  return { settings: preview, plan: previewPlan, rows, schedule, startStep };
}

function layoutOf({ model, plan }: EditContext, { rows, schedule }: Walk, startStep: number, file: string) {
  const { height, width } = plan.latentSize;
  const moments = 1 + schedule.timesteps.length - startStep;
  const frameDims = [model.unet.latentChannels, height, width];
  return { path: file, frameCount: rows.length, frameDims, moments };
}

async function takeWalk(
  { denoiser, plan }: EditContext,
  text: Tensor,
  clean: LatentStore,
  { rows, schedule, startStep }: Walk,
  file: LatentFile,
): Promise<void> {
  const original = await clean.read(rows);
  await file.moment(0).write(0, original);
  const held = () => new HeldLatents(tensor(original.dims));
  const noise = [held(), held(), held()] as const;
  const timesteps = schedule.timesteps.slice(startStep);
  const walk = recordSource({
    denoiser,
    schedule: { ...schedule, timesteps },
    context: text,
    startStep: 0,
    forwardsPerStep: 1,
    latents: new HeldLatents(original),
    spare: held(),
    recording: null,
    noiseAt: (step) => noise[step % noise.length] ?? noise[0],
    keep: (timestep) => file.moment(1 + timesteps.indexOf(timestep)),
    chunkSize: plan.chunkSize,
  });
  let steps = 0;
  for await (const step of walk) steps = step;
  if (steps !== timesteps.length) throw new TypeError('A walk ended early.');
}

function looksIn(file: LatentFile, { rows, schedule, startStep }: Walk, savedEvaluations: number): OpenLooks {
  const timesteps = schedule.timesteps.slice(startStep);
  return {
    savedEvaluations,
    async at(timestep, frames, anticipated) {
      const moment = timesteps.indexOf(timestep);
      const found = frameRange(0, frames.length).filter((row) => rows.includes(frames[row] ?? -1));
      if (moment < 0 || found.length === 0) return null;
      const places = found.map((row) => rows.indexOf(frames[row] ?? -1));
      const seen = (step: number) => noiseSeen(file, places, timesteps, step, schedule);
      if (anticipated === null) return { rows: found, noise: await seen(moment) };
      const expected = takeRows(anticipated, found);
      if (moment + 2 >= timesteps.length) return { rows: found, noise: expected };
      const line = anticipateNoise(await seen(moment + 1), await seen(moment + 2));
      const missed = weightedSum(1, await seen(moment), -1, line);
      return { rows: found, noise: weightedSum(1, expected, missedShare, missed) };
    },
    close: () => file.close(),
  };
}

/** What the network saw at the sampling step `step` of the walk, in the keyframes `places`. */
async function noiseSeen(
  file: LatentFile,
  places: readonly number[],
  timesteps: readonly number[],
  step: number,
  schedule: Schedule,
): Promise<Tensor> {
  // The clip itself is below the lowest.
  const below = step + 1 < timesteps.length ? step + 2 : 0;
  const [low, high] = [await file.moment(below).read(places), await file.moment(step + 1).read(places)];
  return noiseOfStep(low, high, timesteps[step] ?? 0, schedule);
}
