// What a preview and its edit share. A preview inverts its keyframes with steps twice as long and one forward each. The
// edit uses this inversion too: at the timesteps that both have, the preview's prediction corrects the extrapolation
// along a straight line, and replaces the first forward of the edit's own step. The one of both that runs first makes
// the inversion and keeps it as the preview's inversion, so that no prediction is computed twice.

import path from 'node:path';
import { extrapolateNoise, noiseOfStep } from '../../diffusion/fixed-point-inversion.ts';
import { createSchedule, type Schedule } from '../../diffusion/schedule.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { takeRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import { weightedSum } from '../../tensor/weighted-sum.ts';
import { InMemoryLatents } from '../../tokenflow/in-memory-latents.ts';
import { invert, type EarlierPredictions } from '../../tokenflow/inversion.ts';
import { frameRange, type LatentStore } from '../../tokenflow/latents.ts';
import { previewOf, type ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditContext } from '../run/edit-context.ts';
import { planEdit, type EditPlan } from '../plan/edit-plan.ts';
import type { SourceAnalysis } from './inversion-entry.ts';
import { findInversionCache } from './inversion-key.ts';
import { LatentFile } from './latent-file.ts';
import { keepOrTell, takeOrTell } from './source-latents.ts';

/** The inversion of a preview's keyframes, as far up as the edit goes. */
interface CoarseInversion {
  readonly settings: ChosenSettings;
  readonly plan: EditPlan;
  /** The keyframes, counted among the frames of the edit. */
  readonly rows: readonly number[];
  readonly schedule: Schedule;
  /** The first of the preview's sampling steps that it comes to. */
  readonly startStep: number;
}

export interface OpenPredictions extends EarlierPredictions {
  /** Forwards of a frame that were saved, because an earlier job had made the coarse inversion. */
  readonly savedEvaluations: number;
  close(): Promise<void>;
}

const fileName = 'coarse.latents';
/** The error of a straight line grows with the square of its step, and the preview's steps are twice as long. */
const missedShare = 1 / 4;

/**
 * Null when the edit's steps are not the halves of the preview's steps. Also null when a step has a single forward: the
 * preview's prediction cannot replace it, because it was made for other latents.
 * @param text of what the clip shows
 * @param isDone whether this job has made the coarse inversion before it was cut short
 */
export async function openEarlierPredictions(
  edit: EditContext,
  text: Conditioning,
  clean: LatentStore,
  analysis: SourceAnalysis,
  isDone: boolean,
): Promise<OpenPredictions | null> {
  const coarse = analysis.inversionSteps > edit.settings.steps ? planCoarseInversion(edit) : null;
  if (coarse === null) return null;
  const { startStep } = coarse;
  const file = path.join(edit.job.workDir, fileName);
  const layoutFrom = (step: number) => layoutOf(edit, coarse, step, file);
  if (isDone) return predictionsIn(await LatentFile.openWhole(layoutFrom(startStep)), coarse, 0);
  const cache = await findInversionCache({ ...edit, ...coarse });
  const sizeBytes = (step: number) => LatentFile.sizeBytes(layoutFrom(step));
  const taken = cache === null ? null : await takeOrTell(cache, { startStep, sizeBytes, file });
  if (taken?.startStep === startStep) {
    const saved = coarse.rows.length * (coarse.schedule.timesteps.length - startStep);
    return predictionsIn(await LatentFile.openWhole(layoutFrom(startStep)), coarse, saved);
  }
  const latents = await LatentFile.create(layoutFrom(startStep));
  await invertCoarsely(edit, text, clean, coarse, latents);
  await latents.sync();
  if (cache !== null) await keepOrTell(cache, { analysis: analysisOf(coarse, analysis), startStep, file });
  return predictionsIn(latents, coarse, 0);
}

/** What the preview's inversion would have found. */
function analysisOf({ settings, rows }: CoarseInversion, { cuts, damage }: SourceAnalysis): SourceAnalysis {
  const first = cuts.map((cut) => rows.findIndex((row) => row >= cut));
  return {
    cuts: [...new Set(first)].filter((row) => row > 0),
    inversionSteps: settings.inversionSteps,
    reconstructionPsnr: null,
    damage,
  };
}

function planCoarseInversion({ clip, model, settings, plan, sampling, job }: EditContext): CoarseInversion | null {
  // Elsewhere keyframes are not the clip's own, and no part of what its inversion is known by.
  if (plan.cachedTokens === null) return null;
  const preview = previewOf(settings);
  const { approximations } = job;
  const previewPlan = planEdit(clip, model, preview, { approximations, technique: plan.technique });
  const schedule = createSchedule(model.scheduler, preview.steps);
  if (!schedule.timesteps.every((timestep) => sampling.timesteps.includes(timestep))) return null;
  const top = sampling.timesteps[plan.startStep] ?? 0;
  const startStep = schedule.timesteps.findIndex((timestep) => timestep <= top);
  if (startStep < 0) return null;
  const rows = previewPlan.frames.map((frame) => frame - plan.startFrame);
  return { settings: preview, plan: previewPlan, rows, schedule, startStep };
}

function layoutOf({ model, plan }: EditContext, { rows, schedule }: CoarseInversion, startStep: number, file: string) {
  const { height, width } = plan.latentSize;
  const slots = 1 + schedule.timesteps.length - startStep;
  const frameDims = [model.unet.latentChannels, height, width];
  return { path: file, frameCount: rows.length, frameDims, slots };
}

async function invertCoarsely(
  { denoiser, plan }: EditContext,
  text: Conditioning,
  clean: LatentStore,
  { rows, schedule, startStep }: CoarseInversion,
  file: LatentFile,
): Promise<void> {
  const original = await clean.read(rows);
  await file.slot(0).write(0, original);
  const held = () => new InMemoryLatents(tensor(original.dims));
  const noise = [held(), held(), held()] as const;
  const timesteps = schedule.timesteps.slice(startStep);
  const coarse = invert({
    denoiser,
    schedule: { ...schedule, timesteps },
    conditioning: text,
    startStep: 0,
    method: {
      name: 'fixed-point',
      iterations: 1,
      noiseAt: (step) => noise[step % noise.length] ?? noise[0],
      earlier: null,
      cache: null,
    },
    latents: new InMemoryLatents(original),
    next: held(),
    keep: (timestep) => file.slot(1 + timesteps.indexOf(timestep)),
    chunkSize: plan.chunkSize,
  });
  let steps = 0;
  for await (const step of coarse) steps = step;
  if (steps !== timesteps.length) throw new TypeError('The coarse inversion ended early.');
}

function predictionsIn(
  file: LatentFile,
  { rows, schedule, startStep }: CoarseInversion,
  savedEvaluations: number,
): OpenPredictions {
  const timesteps = schedule.timesteps.slice(startStep);
  return {
    savedEvaluations,
    async at(timestep, frames, extrapolated) {
      const slot = timesteps.indexOf(timestep);
      const found = frameRange(0, frames.length).filter((row) => rows.includes(frames[row] ?? -1));
      if (slot < 0 || found.length === 0) return null;
      const places = found.map((row) => rows.indexOf(frames[row] ?? -1));
      const seen = (step: number) => noiseSeen(file, places, timesteps, step, schedule);
      if (extrapolated === null) return { rows: found, noise: await seen(slot) };
      const expected = takeRows(extrapolated, found);
      if (slot + 2 >= timesteps.length) return { rows: found, noise: expected };
      const line = extrapolateNoise(await seen(slot + 1), await seen(slot + 2));
      const missed = weightedSum(1, await seen(slot), -1, line);
      return { rows: found, noise: weightedSum(1, expected, missedShare, missed) };
    },
    close: () => file.close(),
  };
}

/** What the network saw at the sampling step `step` of the coarse inversion, in the keyframes `places`. */
async function noiseSeen(
  file: LatentFile,
  places: readonly number[],
  timesteps: readonly number[],
  step: number,
  schedule: Schedule,
): Promise<Tensor> {
  // The clip itself is below the lowest.
  const below = step + 1 < timesteps.length ? step + 2 : 0;
  const [low, high] = [await file.slot(below).read(places), await file.slot(step + 1).read(places)];
  return noiseOfStep(low, high, timesteps[step] ?? 0, schedule);
}
