// Frames of a clip that somebody has edited by hand: the edit makes the others like them.

import { count, hex, list, object, where, type Complaint, type Infer } from './fields.ts';

/** Of one edit. */
export const maxGivenKeyframes = 64;

const givenKeyframe = object({
  /** Counted from the clip's first frame. */
  frame: count,
  /** Of a clip of one frame with the picture, which the client has uploaded. */
  sha256: hex(64),
});
export type GivenKeyframe = Infer<typeof givenKeyframe>;

export const givenKeyframes = where(
  list(givenKeyframe, maxGivenKeyframes, 'keyframes'),
  (keyframes): Complaint | undefined => {
    const twice = keyframes.findIndex(({ frame }, i) => keyframes.findIndex((one) => one.frame === frame) !== i);
    if (twice === -1) return undefined;
    return { at: [twice, 'frame'], text: `must not be given twice, got ${keyframes[twice]?.frame ?? 0}.` };
  },
);
