// Everything about an edit that can be known before the first forward: which frames, which sizes, how many at a time,
// how much work.

import { EditError } from '../../errors.ts';
import { planWorkingSize, type WorkingSize } from '../../media/working-size.ts';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import { rationalValue } from '../../media/frame.ts';
import { maxExtendedKeyframes } from '../../nets/extended-attention.ts';
import type { LatentSize } from '../../nets/denoising-network.ts';
import type { PassLimits } from '../../nets/pass.ts';
import { drawKeyframes } from '../../tokenflow/keyframes.ts';
import { frameRange } from '../../tokenflow/latents.ts';
import { techniqueNamed } from '../../techniques/list.ts';
import type { Technique } from '../../techniques/technique.ts';
import type { FrameGuidance, SourceMode } from '../../tokenflow/step-passes.ts';
import { saysNothingNew, type ChosenSettings } from './edit-defaults.ts';
import { draftApproximations, usualApproximations, type Approximations } from './approximations.ts';
import { keyframeSeed } from './keyframe-seed.ts';
import type { ModelShape } from '../model/model.ts';
import { maxTokens, CorrespondenceFile } from '../source-cache/correspondence-file.ts';

/** Latent positions of one forward; bounds the activations whatever the clip's size and length. */
const positionsPerForward = 16 * 1024;
/** Most latents of one forward; more are no faster. */
const maxLatents = 16;
/** Latent positions of one pass with extended attention. */
const positionsPerExtendedPass = 48 * 1024;
/**
 * Values of the tokens that one such pass keeps for propagation, for each of source and prompts: 0.6 GB. Networks of Stable
 * Diffusion 1.x and 2.x stay below; those of XL have more than twice as many at a position.
 */
const valuesPerExtendedPass = 146e6;
const minExtendedKeyframes = 4;
/** Pixels of one forward of the VAE, whose activations are the largest. */
const pixelsPerVaeForward = 512 * 512;

export interface EditPlan extends PassLimits {
  readonly startFrame: number;
  /** One after the last frame. */
  readonly endFrame: number;
  /** Frames that are edited. */
  readonly frameCount: number;
  /** The clip's frame for each of them, rising: all of the range, or a preview's keyframes. */
  readonly frames: readonly number[];
  readonly size: WorkingSize;
  readonly latentSize: LatentSize;
  /** Frames per VAE forward. */
  readonly vaeChunkSize: number;
  /** Most keyframes of one pass with extended attention. */
  readonly extendedLimit: number;
  /** First sampling step. */
  readonly startStep: number;
  /** Of a step, where there are no cuts. */
  readonly keyframeCount: number;
  /** The seed for the keyframes of every step, 0..2^32-1. */
  readonly keyframeSeed: number;
  readonly sourceMode: SourceMode;
  /** Of a cached source. */
  readonly frameGuidance: FrameGuidance;
  /** Tokens of a frame whose correspondences are cached at every step; null when none are. */
  readonly cachedTokens: number | null;
  readonly approximations: Approximations;
  readonly technique: Technique;
}

/** Options of a plan; the usual values when left out. */
export interface PlanParts {
  readonly approximations?: Approximations | undefined;
  /** By default the one that the settings name. */
  readonly technique?: Technique | undefined;
}

/**
 * Most bytes of cached correspondences. Beyond, the source's branch is computed at every step: slower by half, but a disk is not filled
 * for it.
 */
const maxCorrespondenceBytes = 16e9;

/** Throws EditError('invalid-request') when the in/out range holds no frame, or there is no such technique. */
export function planEdit(
  clip: ClipInfo,
  model: ModelShape,
  settings: ChosenSettings,
  { approximations = approximationsOf(settings), technique = techniqueNamed(settings.technique) }: PlanParts = {},
): EditPlan {
  const { startFrame, endFrame } = frameRangeOf(clip, settings);
  const size = planWorkingSize(clip.displaySize, settings.size, {
    multiple: model.sizeMultiple,
    targetPixels: model.trainingSide ** 2,
  });
  const { downscale } = model.vae.latents;
  const latentSize = {
    height: size.padded.height / downscale,
    width: size.padded.width / downscale,
  };
  const positions = latentSize.height * latentSize.width;
  const pixels = size.padded.height * size.padded.width;
  const atOnce = (budget: number, each: number, most: number) => Math.min(most, Math.max(1, Math.floor(budget / each)));
  const extendedLimit = Math.max(
    minExtendedKeyframes,
    Math.min(
      atOnce(positionsPerExtendedPass, positions, maxExtendedKeyframes),
      atOnce(valuesPerExtendedPass, model.unet.tokenValues(latentSize), maxExtendedKeyframes),
    ),
  );
  const isSceneByScene = knowsScenes(settings);
  const drawnFrom = keyframeSeed(clip, settings, isSceneByScene);
  const frames = settings.preview
    ? previewWithGiven({ startFrame, endFrame }, { ...settings, seed: drawnFrom }, extendedLimit)
    : frameRange(startFrame, endFrame);
  const frameCount = frames.length;
  const startStep = Math.max(technique.startStep?.(settings) ?? 0, startWithKeyframes(settings));
  const cachedTokens =
    isSceneByScene && !settings.preview
      ? planCorrespondences(model, latentSize, frameCount, settings.steps - startStep)
      : null;
  return {
    startFrame,
    endFrame,
    frames,
    frameCount,
    size,
    latentSize,
    chunkSize: atOnce(positionsPerForward, positions, maxLatents),
    maxLatents,
    vaeChunkSize: atOnce(pixelsPerVaeForward, pixels, maxLatents),
    extendedLimit,
    startStep,
    keyframeSeed: drawnFrom,
    keyframeCount: settings.preview ? frameCount : Math.ceil(frameCount / settings.keyframeInterval),
    sourceMode: sourceModeOf(settings, isSceneByScene && (cachedTokens !== null || settings.preview)),
    frameGuidance: canPropagateGuidance(model, latentSize) ? approximations.frameGuidance : 'own',
    cachedTokens,
    approximations,
    technique,
  };
}

function approximationsOf({ pipeline }: ChosenSettings): Approximations {
  return pipeline === 'draft' ? draftApproximations : usualApproximations;
}

function sourceModeOf({ propagation }: ChosenSettings, isCached: boolean): SourceMode {
  if (propagation === 'per-frame') return 'none';
  return isCached ? 'cached' : 'recomputed';
}

/** Whether the last transformer block has one token on each latent position. */
function canPropagateGuidance({ unet }: ModelShape, latentSize: LatentSize): boolean {
  return unet.tokensPerBlock(latentSize).at(-1) === latentSize.height * latentSize.width;
}

/** The keyframes of the first of all steps, at most as many as one pass with extended attention holds, evenly spread. */
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

/** Share of the steps, the last ones, that an edit with given keyframes takes. */
const stepsWithKeyframes = 0.3;

/**
 * The first step of an edit with given keyframes, 0 without: it starts from the clip with their change. From much noise, the
 * change would be lost in all frames but the given ones. Where no prompt changes anything, there is little to do: one step.
 */
function startWithKeyframes(settings: ChosenSettings): number {
  const { keyframes = [], steps } = settings;
  if (keyframes.length === 0) return 0;
  return steps - (saysNothingNew(settings) ? 1 : Math.max(1, Math.round(steps * stepsWithKeyframes)));
}

/** The frames of a preview, and the keyframes that are given in its range. */
function previewWithGiven(
  range: { readonly startFrame: number; readonly endFrame: number },
  settings: ChosenSettings,
  limit: number,
): readonly number[] {
  const given = (settings.keyframes ?? []).map(({ frame }) => frame);
  const inside = given.filter((frame) => frame >= range.startFrame && frame < range.endFrame);
  return [...new Set([...previewFrames(range, settings, limit), ...inside])].sort((a, b) => a - b);
}

function planCorrespondences(
  model: ModelShape,
  latentSize: LatentSize,
  frameCount: number,
  steps: number,
): number | null {
  const blocks = model.unet.tokensPerBlock(latentSize);
  const tokens = blocks.reduce((sum, count) => sum + count, 0);
  const fits =
    CorrespondenceFile.sizeBytes({ frameCount, tokens, startStep: 0, endStep: steps }) <= maxCorrespondenceBytes;
  return fits && Math.max(...blocks) <= maxTokens ? tokens : null;
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
 * Whether an edit is made scene by scene, like the source data that the fast pipeline caches. The reference pipeline and
 * its propagation rule have no scenes, and without propagation nothing can cross a cut.
 */
export function knowsScenes({ pipeline, propagation }: ChosenSettings): boolean {
  return pipeline !== 'reference' && propagation === 'paper';
}
