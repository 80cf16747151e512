// What quality is measured on: the sample clips, each with a prompt for another colour, another background and another
// style.

import type { Sample, SampleTarget } from '../../companion-server/src/demo/samples.ts';

export interface Trial {
  readonly sample: Sample;
  readonly target: SampleTarget;
}

/** Frames of each clip, from its start: two runs of keyframes. */
export const trialFrames = 12;
/** Of each clip's targets, the first ones. */
const targetsPerClip = 3;

/** All clips with their first target, then all with their second: a part of the list is fair as well. */
export function trialsOf(samples: readonly Sample[]): readonly Trial[] {
  return Array.from({ length: targetsPerClip }, (_, i) =>
    samples.flatMap((sample) => {
      const target = sample.targets[i];
      return target === undefined ? [] : [{ sample, target }];
    }),
  ).flat();
}
