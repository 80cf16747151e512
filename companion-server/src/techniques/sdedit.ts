// SDEdit (arXiv 2108.01073): sampling starts in the middle, from the source with noise.

import type { Technique } from './technique.ts';

export const sdedit: Technique = {
  name: 'sdedit',
  /** Strength 1 runs all steps, strength 0 only the last. */
  startStep: ({ strength, steps }) => Math.min(steps - 1, steps - Math.round(steps * strength)),
};
