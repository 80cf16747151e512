// Choices that can be repeated: everything that a run of faults decides comes from its seed.

import { createRandom } from '../../../companion-server/src/tensor/random.ts';

export interface Choices {
  /** 0 up to, and without, `limit`. */
  below(limit: number): number;
  oneOf<T>(choices: readonly T[]): T;
}

/** The choices of one round. */
export function createChoices(seed: number, round: number): Choices {
  const random = createRandom(seed, round);
  return {
    below: (limit) => random.below(limit),
    oneOf(choices) {
      const chosen = choices[random.below(choices.length)];
      if (chosen === undefined) throw new RangeError('There is nothing to choose from.');
      return chosen;
    },
  };
}
