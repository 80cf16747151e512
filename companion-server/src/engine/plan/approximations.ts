// The approximations of the fast and the draft pipeline. docs/performance.md has the measured saving and cost of each.

import type { FrameGuidance } from '../../tokenflow/step-passes.ts';

export interface Approximations {
  /**
   * `propagated`: frames between keyframes run only the prompt's branch; the guidance of their keyframes is
   * propagated to them along the cached correspondences. `own`: they also run the negative prompt's branch.
   */
  readonly frameGuidance: FrameGuidance;
  /** Share of the steps, from the first, in which there is guidance, 0..1. */
  readonly guidanceUntil: number;
}

export const noApproximations: Approximations = { frameGuidance: 'own', guidanceUntil: 1 };

/**
 * Of the draft pipeline. Its last steps are large: guidance in them makes colours and outlines hard, and what it changes
 * flickers.
 */
export const draftApproximations: Approximations = { frameGuidance: 'propagated', guidanceUntil: 0.6 };

/** Guidance ends where Plug-and-Play's features do at its usual strength, so that no step needs a graph of its own. */
export const usualApproximations: Approximations = { frameGuidance: 'propagated', guidanceUntil: 0.8 };
