// Everything about an edit that can be known before the first forward: which frames, which sizes, how many at a time,
// how much work.

import { EditError } from '../errors.ts';
import { planWorkingSize, type WorkingSize } from '../media/fit.ts';
import type { ClipInfo } from '../media/clip-info.ts';
import { rationalValue } from '../media/frame.ts';
import { branchCount, maxJointKeyframes } from '../nets/tokenflow-attention.ts';
import type { LatentSize } from '../nets/unet-graphs.ts';
import {
  injectionAt,
  noInjection,
  pnpThresholds,
  sdeditStart,
  type InjectionThresholds,
} from '../tokenflow/injection.ts';
import { groupKeyframes } from '../tokenflow/keyframes.ts';
import { frameRange } from '../tokenflow/latents.ts';
import type { ChosenSettings } from './edit-defaults.ts';
import type { ModelShape } from './model.ts';

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
  readonly frameCount: number;
  readonly size: WorkingSize;
  readonly latentSize: LatentSize;
  /** Frames per UNet forward and per VAE forward. */
  readonly chunkSize: number;
  readonly vaeChunkSize: number;
  /** Most keyframes of one joint pass. */
  readonly jointLimit: number;
  /** First sampling step. */
  readonly startStep: number;
  readonly keyframeCount: number;
}

/** Throws EditError('invalid-request') when the in/out range holds no frame. */
export function planEdit(clip: ClipInfo, model: ModelShape, settings: ChosenSettings): EditPlan {
  const { startFrame, endFrame } = frameRangeOf(clip, settings);
  const frameCount = endFrame - startFrame;
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
  const atOnce = (budget: number, each: number, most: number) =>
    Math.min(most, Math.max(1, Math.floor(budget / each)));
  return {
    startFrame,
    endFrame,
    frameCount,
    size,
    latentSize,
    chunkSize: atOnce(positionsPerForward, positions, maxChunkSize),
    vaeChunkSize: atOnce(pixelsPerVaeForward, pixels, maxChunkSize),
    jointLimit: Math.max(
      minJointKeyframes,
      atOnce(positionsPerJointPass, positions, maxJointKeyframes),
    ),
    startStep: settings.technique === 'sdedit' ? sdeditStart(settings.strength, settings.steps) : 0,
    keyframeCount: Math.ceil(frameCount / settings.keyframeInterval),
  };
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

/** UNet forwards of one latent that the edit will take, as UNetDenoiser counts them. */
export function countEvaluations(
  plan: EditPlan,
  settings: ChosenSettings,
  inversionTimesteps: number,
): { readonly inversion: number; readonly sampling: number } {
  const steps = Array.from(
    { length: settings.steps - plan.startStep },
    (_, i) => plan.startStep + i,
  );
  const tokenFlowStep = branchCount * (plan.frameCount + jointKeyframes(plan));
  const perStep = steps.map((step) =>
    settings.propagation === 'per-frame'
      ? perFrameBranches(settings, step) * plan.frameCount
      : tokenFlowStep,
  );
  return {
    inversion: inversionTimesteps * plan.frameCount,
    sampling: perStep.reduce((sum, evaluations) => sum + evaluations, 0),
  };
}

/** The source's branch is only run where something of it is injected. */
function perFrameBranches(settings: ChosenSettings, step: number): number {
  const { attention, features } = injectionAt(thresholdsOf(settings), step, settings.steps);
  return attention || features ? branchCount : branchCount - 1;
}

/** Keyframes of all joint passes of a step, those that only take part in the attention included. */
function jointKeyframes({ keyframeCount, jointLimit }: EditPlan): number {
  const groups = groupKeyframes(frameRange(0, keyframeCount), jointLimit);
  return groups.reduce((sum, { own, context }) => sum + own.length + context.length, 0);
}

/** What the technique injects from the source. */
export function thresholdsOf({ technique, strength }: ChosenSettings): InjectionThresholds {
  return technique === 'pnp' ? pnpThresholds(strength) : noInjection;
}
