// What a technique of editing may decide: where sampling starts, what is injected from the source, and how it changes
// the latents after a step.

import type { Injection } from '../nets/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { FinishedStep } from '../tokenflow/steps.ts';

/** The facts about the edit that a technique gets. */
export interface TechniqueSettings {
  /** 0 keeps the source most, 1 follows the prompt most. */
  readonly strength: number;
  /** Sampling steps in all. */
  readonly steps: number;
}

export interface Technique {
  /** Its name in protocol/techniques.ts. */
  readonly name: string;
  /** The sampling step that an edit begins with, 0 to `steps` - 1; 0 when left out. */
  startStep?(settings: TechniqueSettings): number;
  /** What of the source is injected at a sampling step; nothing when left out. */
  injectionAt?(step: number, settings: TechniqueSettings): Injection;
  /** The latents [N, C, h, w] to continue with after a step of some frames; those of the step when left out. */
  afterStep?(step: FinishedStep, settings: TechniqueSettings): Promise<Tensor>;
}
