// What the fast pipeline leaves out at the price of an approximation. What each saves and costs is measured in
// docs/performance.md.

import type { FrameGuidance } from '../../tokenflow/step-passes.ts';

export interface Approximations {
  /**
   * `propagated`: frames between keyframes run the prompt's branch alone; what guidance adds to their keyframes is
   * propagated to them along the cached correspondences. `own`: they run the negative prompt's branch as well.
   */
  readonly frameGuidance: FrameGuidance;
  /** Share of the steps, from the first, in which there is guidance, 0..1. */
  readonly guidanceUntil: number;
}

export const noApproximations: Approximations = { frameGuidance: 'own', guidanceUntil: 1 };

/** Guidance ends where Plug-and-Play's features do at its usual strength, so that no step needs a graph of its own. */
export const usualApproximations: Approximations = { frameGuidance: 'propagated', guidanceUntil: 0.8 };
