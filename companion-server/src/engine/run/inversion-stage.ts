// From the clip to its inverted latents, and to the correspondences that are found on the way.

import path from 'node:path';
import { timestepNoise } from '../../diffusion/seeded-noise.ts';
import type { Schedule } from '../../diffusion/schedule.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import type { DecodingDamage } from '../../media/decode/frames.ts';
import { detectCuts } from '../../media/decode/scene-cuts.ts';
import { invert, type CorrespondenceCache, type InversionMethod } from '../../tokenflow/inversion.ts';
import { copyLatents, type LatentStore } from '../../tokenflow/latents.ts';
import { keyframesFor, scenesFor, type EditContext } from './edit-context.ts';
import { openEarlierPredictions, type OpenPredictions } from '../source-cache/preview-predictions.ts';
import { readSource } from './edit-input.ts';
import { knowsScenes } from '../plan/edit-plan.ts';
import { forwardsPerStep, keepsNoisiest, planInversion } from '../plan/edit-schedules.ts';
import { workloadOf } from '../plan/edit-workload.ts';
import type { SourceAnalysis } from '../source-cache/inversion-entry.ts';
import { calibrateInversion } from '../source-cache/inversion-calibration.ts';
import { LatentFile } from '../source-cache/latent-file.ts';
import type { SourceLatents } from '../source-cache/source-latents.ts';

/**
 * Fills `source`. `finishedSteps` of the inversion are done already; null for not even the decoding. After n steps the
 * latents are in slot n mod 2 of `current`.
 * @param text of what the clip shows
 */
export async function findSource(
  edit: EditContext,
  text: Conditioning,
  source: SourceLatents,
  current: LatentFile,
  finishedSteps: number | null,
): Promise<void> {
  const { plan, meter } = edit;
  if (finishedSteps === null) {
    meter.begin('decode', plan.frameCount);
    const onFrames = (done: number) => meter.advance(done, plan.frameCount, done / plan.frameCount);
    let damage: DecodingDamage | null = null;
    await readSource(source.clean, { ...edit, onFrames, onDamage: (found) => (damage = found) });
    const cuts = await findCuts(edit);
    meter.begin('invert', scheduleOf(edit).timesteps.length);
    const analysis = { cuts, damage, ...(await chooseSteps(edit, text, source, { cuts, damage })) };
    await source.setAnalysis(analysis);
    edit.replan(analysis, edit.denoiser.evaluations);
    meter.endCalibration();
    await copyLatents(source.clean, current.slot(0), plan.chunkSize);
  }
  if (source.analysis === null) throw new TypeError('An inversion goes on without its analysis.');
  await invertClip(edit, text, source, source.analysis, current, finishedSteps);
}

/** The first frames of the clip's scenes without the first scene, counted in frames that are edited. */
async function findCuts({ clip, plan, settings, signal }: EditContext): Promise<readonly number[]> {
  if (!knowsScenes(settings)) return [];
  const { startFrame, endFrame, frames } = plan;
  const cuts = await detectCuts(clip, { startFrame, endFrame }, { signal });
  const rows = cuts.map((cut) => frames.findIndex((frame) => frame >= startFrame + cut));
  return [...new Set(rows)].filter((row) => row > 0);
}

async function chooseSteps(
  edit: EditContext,
  text: Conditioning,
  source: SourceLatents,
  found: Pick<SourceAnalysis, 'cuts' | 'damage'>,
): Promise<Omit<SourceAnalysis, 'cuts' | 'damage'>> {
  const { inversionSteps, calibrates } = edit.settings;
  if (!calibrates) return { inversionSteps, reconstructionPsnr: null };
  const steps = scheduleOf(edit).timesteps.length;
  edit.meter.beginCalibration();
  let whole = Infinity;
  const stop = edit.watch(() => [0, steps, edit.denoiser.evaluations / whole]);
  try {
    // Until a try is measured, the forecast of the edit uses its number of forwards.
    return await calibrateInversion(edit, text, source.clean, ({ inversionSteps, evaluations }) => {
      const expected = { ...found, inversionSteps, reconstructionPsnr: null };
      whole = workloadOf(edit, expected).invert + evaluations;
      edit.replan(expected, evaluations);
    });
  } finally {
    stop();
  }
}

function scheduleOf({ model, sampling, settings, plan }: EditContext): Schedule {
  return planInversion(model.scheduler, sampling, settings, plan.startStep);
}

async function invertClip(
  edit: EditContext,
  text: Conditioning,
  source: SourceLatents,
  analysis: SourceAnalysis,
  current: LatentFile,
  finishedSteps: number | null,
): Promise<void> {
  const { denoiser, plan, settings } = edit;
  const { cuts, inversionSteps, reconstructionPsnr } = analysis;
  const schedule = scheduleOf(edit);
  const perStep = forwardsPerStep(settings, inversionSteps);
  const steps = schedule.timesteps.length;
  const startStep = finishedSteps ?? 0;
  const finished = startStep * perStep * plan.frameCount;
  // The calibration's forwards are part of the stage, except those of an earlier process.
  const calibrated = finishedSteps === null ? denoiser.evaluations : 0;
  const before = denoiser.evaluations - finished - calibrated;
  let total = calibrated + steps * perStep * plan.frameCount;
  edit.meter.calibrated(reconstructionPsnr);
  if (finishedSteps !== null) edit.meter.begin('invert', steps, startStep, startStep / steps);
  let done = startStep;
  const stop = edit.watch(() => [done, steps, (denoiser.evaluations - before) / total]);
  const shared = {
    denoiser,
    schedule,
    conditioning: text,
    startStep,
    chunkSize: plan.chunkSize,
    latents: current.slot(startStep % 2),
    next: current.slot((startStep + 1) % 2),
    keep: (timestep: number) => source.keepAt(timestep),
  };
  let noise: LatentFile | null = null;
  let earlier: OpenPredictions | null = null;
  try {
    if (settings.inversion === 'fixed-point') {
      earlier = await openEarlierPredictions(edit, text, source.clean, analysis, finishedSteps !== null);
      total -= earlier?.savedEvaluations ?? 0;
      noise = await openNoise(edit, current, startStep);
    }
    if (startStep === 0) await edit.saveResumePoint('invert', 0, denoiser.evaluations);
    const cache = correspondenceCacheOf(edit, source, cuts);
    const method: InversionMethod | null = noise && {
      name: 'fixed-point',
      iterations: perStep,
      earlier,
      noiseAt: slotsInTurn(noise),
      cache,
    };
    for await (const step of invert({ ...shared, method: method ?? methodWithoutNoise(edit, source, cache) })) {
      done = step;
      await noise?.sync();
      await edit.saveResumePoint('invert', step, denoiser.evaluations);
    }
    if (keepsNoisiest(settings)) {
      await copyLatents(current.slot(steps % 2), source.noisiest, plan.chunkSize);
    }
  } finally {
    stop();
    await noise?.close();
    await earlier?.close();
  }
}

/** A method that keeps no predicted noise from step to step. */
function methodWithoutNoise(
  { settings }: EditContext,
  source: SourceLatents,
  cache: CorrespondenceCache | null,
): InversionMethod {
  if (settings.inversion !== 'noised') return { name: 'ddim' };
  const { frameDims } = source.file;
  return {
    name: 'noised',
    clean: source.clean,
    noiseAt: (timestep, count) => timestepNoise(timestep, count, frameDims),
    residualAt: (timestep) => source.residualAt(timestep),
    cache,
  };
}

/** Three take turns, so that an interrupted step can be repeated. */
const noiseSlots = 3;

function slotsInTurn(noise: LatentFile): (step: number) => LatentStore {
  return (step) => noise.slot(step % noiseSlots);
}

/** The noise of the last inversion steps, from which the fast pipeline extrapolates that of the next. */
function openNoise({ job, plan }: EditContext, { frameDims }: LatentFile, startStep: number): Promise<LatentFile> {
  const file = path.join(job.workDir, 'noise.latents');
  const layout = { path: file, frameCount: plan.frameCount, frameDims, slots: noiseSlots };
  return startStep === 0 ? LatentFile.create(layout) : LatentFile.reopen(layout);
}

function correspondenceCacheOf(
  edit: EditContext,
  source: SourceLatents,
  cuts: readonly number[],
): CorrespondenceCache | null {
  if (edit.plan.cachedTokens === null) return null;
  const { timesteps } = edit.sampling;
  const scenes = scenesFor(edit, cuts);
  return {
    store: source.correspondences,
    stepAt: (timestep) => {
      const step = timesteps.indexOf(timestep);
      return step < source.startStep ? null : step;
    },
    keyframesAt: (step) => keyframesFor(edit, scenes, step),
    scenes,
  };
}
