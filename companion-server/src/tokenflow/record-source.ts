// Inversion of the fast schedule: walks a clip's latents up into noise along the very steps that sampling will take down,
// and records on the way what sampling will need of the source at each of them.

import { anticipateNoise, climb, noiseOf } from '../diffusion/inversion-step.ts';
import type { Schedule } from '../diffusion/schedule.ts';
import { concatRows, takeRows, type Tensor } from '../tensor/tensor.ts';
import type { FastDenoiser, RecordStore } from './fast-denoiser.ts';
import { walkKeyframes } from './keyframe-walk.ts';
import { frameRange, writeFrames, type LatentStore } from './latents.ts';
import { pairsOf, SourceKeyframes } from './source-keyframes.ts';
import type { Scene } from './scenes.ts';
import { stepPasses, type StepPass } from './step-pass.ts';
import { requireFinite } from './watchdog.ts';

export interface Recording {
  readonly store: RecordStore;
  /** The sampling step at a timestep; null where sampling does not come by. */
  readonly stepAt: (timestep: number) => number | null;
  /** The keyframes of a sampling step, rising, at least one in each scene. */
  readonly keyframesAt: (step: number) => readonly number[];
  readonly scenes: readonly Scene[];
}

/** What an earlier walk with larger steps has seen in some of the frames: a preview's. */
export interface EarlierLooks {
  /**
   * The noise [N, C, h, w] that is expected at `timestep` in those of `frames` that were looked at; `rows` are their places
   * among `frames`, rising. null where it has not looked.
   * @param anticipated [frames, C, h, w] what the steps below let expect; null at the lowest step
   */
  at(
    timestep: number,
    frames: readonly number[],
    anticipated: Tensor | null,
  ): Promise<{ readonly rows: readonly number[]; readonly noise: Tensor } | null>;
}

export interface RecordSourceOptions {
  readonly denoiser: FastDenoiser;
  /** Its timesteps are walked upwards: sampling's own, so that each step is the inverse of one of its steps. */
  readonly schedule: Schedule;
  /** Forwards per frame and step: the fixed-point iterations of a step, at least 1. */
  readonly forwardsPerStep: number;
  /** Stands for the first of several forwards where there is one. */
  readonly looks?: EarlierLooks | null;
  /** Text embedding of what the clip shows [1, tokens, D]. */
  readonly context: Tensor;
  /** The latents after `startStep` steps: the clip's own at first. */
  readonly latents: LatentStore;
  /** Takes the latents after a step; swapped with `latents` from step to step, so that a crash leaves one of them whole. */
  readonly spare: LatentStore;
  /** Keeps the noise of an inversion step; three in turn, so that a step can be repeated. */
  readonly noiseAt: (step: number) => LatentStore;
  /** Steps that are done already. */
  readonly startStep: number;
  /** The store that keeps the result at a timestep, or undefined when that timestep is not needed. */
  readonly keep: (timestep: number) => LatentStore | undefined;
  /** null to record nothing. */
  readonly recording: Recording | null;
  /** Frames per forward. */
  readonly chunkSize: number;
}

/** Yields the number of finished steps after each. */
export async function* recordSource(options: RecordSourceOptions): AsyncGenerator<number, void> {
  for (const pass of stepPasses(options, options.schedule.timesteps.toReversed())) {
    await takeStep(pass);
    yield pass.step + 1;
  }
}

type InversionPass = StepPass<RecordSourceOptions>;

/** One step of all frames, a few at a time. */
async function takeStep(pass: InversionPass): Promise<void> {
  const { recording } = pass.options;
  const samplingStep = recording?.stepAt(pass.timestep) ?? null;
  if (recording === null || samplingStep === null) return invertFrames(pass);
  for (const scene of recording.scenes) await recordScene(pass, recording, samplingStep, scene);
}

async function invertFrames(pass: InversionPass): Promise<void> {
  const { denoiser, context, chunkSize } = pass.options;
  const { frameCount } = pass.before;
  for (let start = 0; start < frameCount; start += chunkSize) {
    const frames = frameRange(start, Math.min(start + chunkSize, frameCount));
    await moveUp(pass, frames, (latents) => denoiser.predict(latents, pass.timestep, context));
  }
}

async function recordScene(
  pass: InversionPass,
  { keyframesAt, store }: Recording,
  samplingStep: number,
  scene: Scene,
): Promise<void> {
  const { timestep } = pass;
  const { denoiser, context, chunkSize } = pass.options;
  const keyframes = keyframesAt(samplingStep).filter((k) => k >= scene.start && k < scene.end);
  await walkKeyframes({
    scene,
    keyframes,
    chunkSize,
    groups: groupsOf(keyframes, chunkSize),
    visitKeyframes: async ({ own }) => {
      const tokens = await moveUp(pass, own, async (latents) => {
        const result = await denoiser.recordKeyframes(latents, timestep, context);
        return [result.prediction, result.tokens] as const;
      });
      return new SourceKeyframes(own, tokens);
    },
    visitFrames: async (frames, neighbours, { keyframes: known, tokens }) => {
      const pairs = pairsOf(neighbours, known);
      const records = await moveUp(pass, frames, async (latents) => {
        const result = await denoiser.recordFrames(latents, timestep, context, { tokens, pairs });
        return [result.prediction, result.records] as const;
      });
      await store.write(samplingStep, frames, records);
    },
  });
}

/**
 * Moves frames one step up: their latents are anticipated, and improved by what the network sees in them. `look` asks it
 * for the last time. Returns what else it says then.
 */
async function moveUp<T = undefined>(
  { options, step, timestep, before, after }: InversionPass,
  frames: readonly number[],
  look: (latents: Tensor) => Promise<Tensor | readonly [Tensor, T]>,
): Promise<T> {
  const { schedule, keep, noiseAt, forwardsPerStep, looks = null } = options;
  const below = await before.read(frames);
  const last = step > 0 ? await noiseAt(step - 1).read(frames) : null;
  const beforeLast = step > 1 ? await noiseAt(step - 2).read(frames) : null;
  const expected = last === null ? null : anticipateNoise(last, beforeLast);
  let guess = climb(below, expected, timestep, schedule);
  for (let forward = 1; forward < forwardsPerStep; forward++) {
    const known = forward === 1 ? await looks?.at(timestep, frames, expected) : null;
    const noise = await lookAt(options, guess, timestep, known ?? null);
    guess = climb(below, noise, timestep, schedule);
  }
  const answer = await look(guess);
  const [prediction, more] = 'dims' in answer ? [answer, undefined as T] : answer;
  const noise = noiseOf(guess, prediction, timestep, schedule);
  const next = climb(below, noise, timestep, schedule);
  requireFinite(next, `inversion at timestep ${timestep}`);
  await writeFrames(noiseAt(step), frames, noise);
  await writeFrames(after, frames, next);
  const kept = keep(timestep);
  if (kept !== undefined) await writeFrames(kept, frames, next);
  return more;
}

/** The noise that the network sees in latents. It is not asked about rows that it has been asked about before. */
async function lookAt(
  { denoiser, context, schedule }: RecordSourceOptions,
  latents: Tensor,
  timestep: number,
  known: { readonly rows: readonly number[]; readonly noise: Tensor } | null,
): Promise<Tensor> {
  const count = latents.dims[0] ?? 0;
  const others = frameRange(0, count).filter((row) => known?.rows.includes(row) !== true);
  if (known !== null && others.length === 0) return known.noise;
  const asked = known === null ? latents : takeRows(latents, others);
  const seen = noiseOf(asked, await denoiser.predict(asked, timestep, context), timestep, schedule);
  if (known === null) return seen;
  const places = [...known.rows, ...others];
  const order = frameRange(0, count).map((row) => places.indexOf(row));
  return takeRows(concatRows([known.noise, seen]), order);
}

function groupsOf(keyframes: readonly number[], size: number): { readonly own: readonly number[] }[] {
  return Array.from({ length: Math.ceil(keyframes.length / size) }, (_, i) => ({
    own: keyframes.slice(i * size, (i + 1) * size),
  }));
}
