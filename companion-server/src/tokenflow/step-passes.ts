// The passes of the UNet in a step of inversion and of sampling. All computation, counts and estimates are derived from
// these.

import {
  editBranchesOf,
  noInjection,
  plainPass,
  predictionAlone,
  type Branch,
  type Injection,
  type Pass,
} from '../nets/pass.ts';

/**
 * How sampling gets the source's correspondences. `cached`: they were found during the inversion; the source's branch
 * runs only for keyframes from which something is injected. `recomputed`: its branch runs for every frame at every step,
 * as in the official code. `none`: tokens are not propagated; every frame is edited alone, the baseline of the paper.
 */
export type SourceMode = 'cached' | 'recomputed' | 'none';

/**
 * How frames between keyframes are guided: by a negative branch of their `own`, or with their keyframes' guidance
 * `propagated` along the correspondences.
 */
export type FrameGuidance = 'own' | 'propagated';

/** The facts about a sampling step that decide its passes. */
export interface SamplingStep {
  readonly sourceMode: SourceMode;
  readonly injection: Injection;
  /** Whether there is guidance in this step. */
  readonly guided: boolean;
  readonly frameGuidance: FrameGuidance;
  /** Where ControlNets take part; nowhere when null or left out. */
  readonly control?: ControlledPasses | null;
}

/** Where ControlNets take part in a step. */
export interface ControlledPasses {
  /** `keyframes`: in the pass over keyframes. Frames that are edited alone have no other pass and are controlled as well. */
  readonly frames: 'keyframes' | 'all';
  /** Whether the negative branch is left as it is. */
  readonly targetOnly: boolean;
}

export interface SamplingPasses {
  /** Over keyframes together; null where every frame is edited alone. */
  readonly keyframes: Pass | null;
  /** Over a few frames at a time. */
  readonly frames: Pass;
  /** Whether keyframes are among the frames of `frames`; otherwise their own pass predicts them. */
  readonly framesIncludeKeyframes: boolean;
}

export function samplingPasses({ control = null, ...step }: SamplingStep): SamplingPasses {
  const { keyframes, frames, framesIncludeKeyframes } = plainPasses(step);
  if (control === null) return { keyframes, frames, framesIncludeKeyframes };
  const isForAll = control.frames === 'all' || keyframes === null;
  return {
    keyframes: keyframes === null ? null : withControl(keyframes, control),
    frames: isForAll ? withControl(frames, control) : frames,
    framesIncludeKeyframes,
  };
}

function withControl(pass: Pass, { targetOnly }: ControlledPasses): Pass {
  const edits = editBranchesOf(pass);
  return { ...pass, controlled: targetOnly ? edits.filter((branch) => branch === 'target') : edits };
}

function plainPasses({ sourceMode, injection, guided, frameGuidance }: SamplingStep): SamplingPasses {
  const edits: readonly Branch[] = guided ? ['negative', 'target'] : ['target'];
  const injected: readonly Branch[] = injection.attention || injection.features ? ['source', ...edits] : edits;
  switch (sourceMode) {
    case 'none': {
      const frames: Pass = {
        branches: injected,
        attention: 'self',
        correspondences: null,
        injection,
        emits: predictionAlone,
      };
      return { keyframes: null, frames, framesIncludeKeyframes: true };
    }
    case 'recomputed': {
      const branches: readonly Branch[] = ['source', ...edits];
      return {
        keyframes: {
          branches,
          attention: 'extended',
          correspondences: null,
          injection,
          emits: { prediction: false, sourceTokens: true, attention: branches, correspondences: false },
        },
        frames: {
          branches,
          attention: 'propagated',
          correspondences: 'searched',
          // Without self-attention in this pass there are no queries and keys to inject.
          injection: { attention: false, features: injection.features },
          emits: predictionAlone,
        },
        framesIncludeKeyframes: true,
      };
    }
    case 'cached': {
      const branches: readonly Branch[] = frameGuidance === 'own' ? edits : ['target'];
      return {
        keyframes: {
          branches: injected,
          attention: 'extended',
          correspondences: null,
          injection,
          emits: { prediction: true, sourceTokens: false, attention: branches, correspondences: false },
        },
        frames: {
          branches,
          attention: 'propagated',
          correspondences: 'given',
          // Features reach the frames in their keyframes' tokens; injecting them again was measured to change nothing.
          injection: noInjection,
          emits: predictionAlone,
        },
        framesIncludeKeyframes: false,
      };
    }
  }
}

/** The last evaluation of keyframes in a step of an inversion that caches correspondences. */
export const keyframeInversionPass: Pass = {
  ...plainPass,
  emits: { prediction: true, sourceTokens: true, attention: [], correspondences: false },
};

/** That of the frames between them. */
export const frameInversionPass: Pass = {
  ...plainPass,
  correspondences: 'searched',
  emits: { prediction: true, sourceTokens: false, attention: [], correspondences: true },
};
