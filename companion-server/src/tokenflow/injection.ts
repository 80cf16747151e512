// How much of the source an edit keeps: thresholds of Plug-and-Play (arXiv 2211.12572, section 4) and the start of
// SDEdit (arXiv 2108.01073), both from one strength 0..1.

import type { Injection } from '../nets/pass.ts';

export interface InjectionThresholds {
  /** Share of the steps, from the first, in which queries and keys of self-attention are injected. */
  readonly attention: number;
  /** The same for the features of the residual block. */
  readonly features: number;
}

/** Strength 0.5 gives the official defaults, attention 0.5 and features 0.8; strength 1 injects nothing. */
export function pnpThresholds(strength: number): InjectionThresholds {
  const kept = 1 - strength;
  return { attention: kept, features: Math.min(1, 1.6 * kept) };
}

export const nothingInjected: InjectionThresholds = { attention: 0, features: 0 };

/** What is injected at sampling step `step` of `steps`. */
export function injectionAt(thresholds: InjectionThresholds, step: number, steps: number): Injection {
  return {
    attention: step < wholeSteps(steps * thresholds.attention),
    features: step < wholeSteps(steps * thresholds.features),
  };
}

/** 1 - 0.9 is a little less than a tenth, and a tenth of 10 steps is one all the same. */
function wholeSteps(steps: number): number {
  return Math.floor(steps + 1e-9);
}

/** The sampling step at which SDEdit begins: strength 1 runs all of them, strength 0 only the last. */
export function sdeditStart(strength: number, steps: number): number {
  return Math.min(steps - 1, steps - Math.round(steps * strength));
}
