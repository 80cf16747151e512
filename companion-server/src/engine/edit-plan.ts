// Everything about an edit that can be known before the first forward: which frames, which sizes, how many at a time,
// how much work.

import { EditError } from '../errors.ts';
import { planWorkingSize, type WorkingSize } from '../media/fit.ts';
import type { ClipInfo } from '../media/clip-info.ts';
import { rationalValue } from '../media/frame.ts';
import { tokensPerBlock } from '../nets/record-shape.ts';
import { editBranches, jointBranches } from '../nets/target-attention.ts';
import { branchCount, maxJointKeyframes } from '../nets/tokenflow-attention.ts';
import type { LatentSize } from '../nets/unet-graphs.ts';
import {
  injectionAt,
  noInjection,
  pnpThresholds,
  sdeditStart,
  type InjectionThresholds,
} from '../tokenflow/injection.ts';
import { drawKeyframes, groupKeyframes } from '../tokenflow/keyframes.ts';
import { frameRange } from '../tokenflow/latents.ts';
import type { ChosenSettings } from './edit-defaults.ts';
import { defaultSavings, type FastSavings } from './fast-savings.ts';
import { keyframeSeed } from './keyframe-seed.ts';
import type { ModelShape } from './model.ts';
import { maxRecordedTokens, RecordFile } from './record-file.ts';

/** Latent positions of one forward; bounds the activations whatever the clip's size and length. */
const positionsPerForward = 16 * 1024;
/** Most frames of one forward; more are no faster. */
const maxChunkSize = 16;
/** Latent positions of one joint keyframe pass; bounds the tokens that are kept for propagation. */
const positionsPerJointPass = 48 * 1024;
const minJointKeyframes = 4;
/** Pixels of one forward of the VAE, whose activations are the largest. */
const pixelsPerVaeForward = 512 * 512;

export interface EditPlan {
  readonly startFrame: number;
  /** The frame to stop before. */
  readonly endFrame: number;
  /** Frames that are edited. */
  readonly frameCount: number;
  /** The clip's frame that each of them is, rising: all of the range, or a preview's keyframes. */
  readonly frames: readonly number[];
  readonly size: WorkingSize;
  readonly latentSize: LatentSize;
  /** Frames per UNet forward and per VAE forward. */
  readonly chunkSize: number;
  readonly vaeChunkSize: number;
  /** Most keyframes of one joint pass. */
  readonly jointLimit: number;
  /** First sampling step. */
  readonly startStep: number;
  /** Of a step, where there are no cuts. */
  readonly keyframeCount: number;
  /** What the keyframes of every step are drawn from, 0..2^32-1. */
  readonly keyframeSeed: number;
  /**
   * How sampling sees the source: as `recorded` during the inversion, `recomputed` at every step, or every frame by itself
   * (`per-frame`).
   */
  readonly sampling: 'recorded' | 'recomputed' | 'per-frame';
  /** Tokens of a frame whose places are recorded at every step; null when nothing is recorded. */
  readonly recordedTokens: number | null;
  readonly savings: FastSavings;
}

/**
 * Most bytes of records. Beyond, the source's branch is computed at every step: slower by half, but a disk is not filled
 * for it.
 */
const maxRecordBytes = 16e9;

/** Throws EditError('invalid-request') when the in/out range holds no frame. */
export function planEdit(
  clip: ClipInfo,
  model: ModelShape,
  settings: ChosenSettings,
  savings: FastSavings = defaultSavings,
): EditPlan {
  const { startFrame, endFrame } = frameRangeOf(clip, settings);
  const size = planWorkingSize(clip.displaySize, settings.size, {
    multiple: model.sizeMultiple,
    targetPixels: model.trainingSide ** 2,
  });
  const { downscale } = model.vae;
  const latentSize = {
    height: size.padded.height / downscale,
    width: size.padded.width / downscale,
  };
  const positions = latentSize.height * latentSize.width;
  const pixels = size.padded.height * size.padded.width;
  const atOnce = (budget: number, each: number, most: number) => Math.min(most, Math.max(1, Math.floor(budget / each)));
  const jointLimit = Math.max(minJointKeyframes, atOnce(positionsPerJointPass, positions, maxJointKeyframes));
  const isSceneByScene = knowsScenes(settings);
  const drawnFrom = keyframeSeed(clip, settings, isSceneByScene);
  const frames = settings.preview
    ? previewFrames({ startFrame, endFrame }, { ...settings, seed: drawnFrom }, jointLimit)
    : frameRange(startFrame, endFrame);
  const frameCount = frames.length;
  const startStep = settings.technique === 'sdedit' ? sdeditStart(settings.strength, settings.steps) : 0;
  const recordedTokens =
    isSceneByScene && !settings.preview ? planRecords(model, latentSize, frameCount, settings.steps - startStep) : null;
  return {
    startFrame,
    endFrame,
    frames,
    frameCount,
    size,
    latentSize,
    chunkSize: atOnce(positionsPerForward, positions, maxChunkSize),
    vaeChunkSize: atOnce(pixelsPerVaeForward, pixels, maxChunkSize),
    jointLimit,
    startStep,
    keyframeSeed: drawnFrom,
    keyframeCount: settings.preview ? frameCount : Math.ceil(frameCount / settings.keyframeInterval),
    sampling: samplingOf(settings, isSceneByScene && (recordedTokens !== null || settings.preview)),
    recordedTokens,
    savings,
  };
}

function samplingOf({ propagation }: ChosenSettings, isRecorded: boolean): EditPlan['sampling'] {
  if (propagation === 'per-frame') return 'per-frame';
  return isRecorded ? 'recorded' : 'recomputed';
}

/** The keyframes of the first of all steps, at most as many as one joint pass holds, evenly spread. */
function previewFrames(
  { startFrame, endFrame }: { readonly startFrame: number; readonly endFrame: number },
  { seed, keyframeInterval }: Pick<ChosenSettings, 'seed' | 'keyframeInterval'>,
  limit: number,
): readonly number[] {
  const drawn = drawKeyframes(seed, 0, [{ start: 0, end: endFrame - startFrame }], keyframeInterval);
  const count = Math.min(limit, drawn.length);
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor(((i + 0.5) * drawn.length) / count);
    return startFrame + (drawn[at] ?? 0);
  });
}

function planRecords(model: ModelShape, latentSize: LatentSize, frameCount: number, steps: number): number | null {
  const blocks = tokensPerBlock(model.unet, latentSize);
  const tokens = blocks.reduce((sum, count) => sum + count, 0);
  const fits = RecordFile.sizeBytes({ frameCount, tokens, startStep: 0, endStep: steps }) <= maxRecordBytes;
  return fits && Math.max(...blocks) <= maxRecordedTokens ? tokens : null;
}

function frameRangeOf(
  clip: ClipInfo,
  { startSeconds, endSeconds }: ChosenSettings,
): { startFrame: number; endFrame: number } {
  const rate = rationalValue(clip.frameRate);
  const toFrame = (seconds: number) => Math.min(clip.frameCount, Math.round(seconds * rate));
  const startFrame = startSeconds === null ? 0 : toFrame(startSeconds);
  const endFrame = endSeconds === null ? clip.frameCount : toFrame(endSeconds);
  if (endFrame > startFrame) return { startFrame, endFrame };
  throw new EditError(
    'invalid-request',
    `The range from ${startSeconds ?? 0} s to ${endSeconds ?? clip.durationSeconds} s holds no frame of the clip, which lasts ${clip.durationSeconds.toFixed(2)} s.`,
    { hint: 'Choose --start and --end inside the clip.' },
  );
}

/**
 * Whether an edit goes scene by scene, as what the fast schedule records of a source does. The official schedule and its
 * rule of propagation know no scenes, and where nothing is propagated nothing can cross a cut.
 */
export function knowsScenes({ schedule, propagation }: ChosenSettings): boolean {
  return schedule === 'fast' && propagation === 'paper';
}

/**
 * UNet forwards of one latent that the edit will take, as UNetDenoiser counts them.
 * @param keyframeCounts of each scene; by default those of a clip without cuts
 */
export function countEvaluations(
  plan: EditPlan,
  settings: ChosenSettings,
  inversionForwards: number,
  keyframeCounts: readonly number[] = [plan.keyframeCount],
): { readonly inversion: number; readonly sampling: number } {
  const steps = Array.from({ length: settings.steps - plan.startStep }, (_, i) => plan.startStep + i);
  const perStep = steps.map((step) => evaluationsOf(step, plan, settings, keyframeCounts));
  return {
    inversion: inversionForwards * plan.frameCount,
    sampling: perStep.reduce((sum, evaluations) => sum + evaluations, 0),
  };
}

function evaluationsOf(
  step: number,
  plan: EditPlan,
  settings: ChosenSettings,
  keyframeCounts: readonly number[],
): number {
  const { frameCount, savings } = plan;
  const joint = keyframeCounts.reduce((sum, count) => sum + jointKeyframes(plan, count, step), 0);
  switch (plan.sampling) {
    case 'per-frame':
      return perFrameBranches(settings, step) * frameCount;
    case 'recomputed':
      return branchCount * (frameCount + joint);
    case 'recorded': {
      const guided = guidanceAt(step, settings, plan) !== 1;
      const injection = injectionAt(thresholdsOf(settings), step, settings.steps);
      const isOwn = guided && savings.frameGuidance === 'own';
      const others = frameCount - keyframeCounts.reduce((sum, count) => sum + count, 0);
      return jointBranches({ injection, guided }) * joint + editBranches(isOwn) * others;
    }
  }
}

/** The scale of guidance at a sampling step; 1 for none. The reference schedule guides in every step. */
export function guidanceAt(
  step: number,
  { schedule, guidance, steps }: ChosenSettings,
  { startStep, savings }: EditPlan,
): number {
  if (schedule === 'reference') return guidance;
  const guidedSteps = Math.max(1, Math.floor((steps - startStep) * savings.guidanceUntil));
  return step < startStep + guidedSteps ? guidance : 1;
}

/** The source's branch is only run where something of it is injected. */
function perFrameBranches(settings: ChosenSettings, step: number): number {
  const { attention, features } = injectionAt(thresholdsOf(settings), step, settings.steps);
  return attention || features ? branchCount : branchCount - 1;
}

/** Keyframes of all joint passes of a scene in a step, those that only take part in the attention included. */
function jointKeyframes({ jointLimit }: EditPlan, keyframeCount: number, step: number): number {
  const groups = groupKeyframes(frameRange(0, keyframeCount), jointLimit, step);
  return groups.reduce((sum, { own, context }) => sum + own.length + context.length, 0);
}

/** What the technique injects from the source. */
export function thresholdsOf({ technique, strength }: ChosenSettings): InjectionThresholds {
  return technique === 'pnp' ? pnpThresholds(strength) : noInjection;
}
