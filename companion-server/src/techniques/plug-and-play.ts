// Plug-and-Play (arXiv 2211.12572, section 4): queries, keys and features of the source are injected in the first steps.

import type { Injection } from '../nets/pass.ts';
import type { Technique } from './technique.ts';

export interface InjectionThresholds {
  /** Share of the steps, from the first, in which queries and keys of self-attention are injected. */
  readonly attention: number;
  /** The same for the features of the residual block. */
  readonly features: number;
}

/** Strength 0.5 gives the official defaults, attention 0.5 and features 0.8; strength 1 injects nothing. */
export function thresholdsOf(strength: number): InjectionThresholds {
  const kept = 1 - strength;
  return { attention: kept, features: Math.min(1, 1.6 * kept) };
}

/** What is injected at sampling step `step` of `steps`. */
export function injectionAt(thresholds: InjectionThresholds, step: number, steps: number): Injection {
  return {
    attention: step < wholeSteps(steps * thresholds.attention),
    features: step < wholeSteps(steps * thresholds.features),
  };
}

/** In floating point 1 - 0.9 is a little less than a tenth, but a tenth of 10 steps must still be one. */
function wholeSteps(steps: number): number {
  return Math.floor(steps + 1e-9);
}

export const plugAndPlay: Technique = {
  name: 'pnp',
  injectionAt: (step, { strength, steps }) => injectionAt(thresholdsOf(strength), step, steps),
};
