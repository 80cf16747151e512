// ControlNets as an edit names them: what each is shown, and how strongly it takes part.

import { flag, list, number, object, oneOf, optional, text, where, type Complaint, type Infer } from './fields.ts';
import { controlScaleRange, maxControls } from './limits.ts';

/**
 * What a ControlNet is shown. `canny`, `lineart`, `scribble`, `luma`, `tile`: a picture that is made of the frame. `own`: a
 * video of the user's, which has such pictures already.
 */
export const controlKinds = ['canny', 'lineart', 'scribble', 'luma', 'tile', 'own'] as const;
export type ControlKind = (typeof controlKinds)[number];
/** Those whose picture is made of a frame of the clip. */
export const madeControlKinds = [
  'canny',
  'lineart',
  'scribble',
  'luma',
  'tile',
] as const satisfies readonly ControlKind[];
export type MadeControlKind = (typeof madeControlKinds)[number];

/** Which frames are controlled: those that others take tokens from, or each. */
export const controlledFrames = ['keyframes', 'all'] as const;
export type ControlledFrames = (typeof controlledFrames)[number];

const control = where(
  object({
    kind: oneOf(controlKinds),
    /** Of a ControlNet that the server has; it never contains a path. Left out: its first for the kind and the model. */
    net: optional(text({ min: 1, max: 200 })),
    /** 0: not at all; 1: as it was trained. */
    scale: number(controlScaleRange.min, controlScaleRange.max),
    /** Shares of the sampling steps between which it takes part. */
    start: number(0, 1),
    end: number(0, 1),
    /** Whether it controls without the prompt's help: the prompt may be empty or vague. */
    guess: flag,
    /** Only of kind `own`: the clip on the server that has the pictures, frame by frame. */
    clip: optional(text({ min: 1, max: 200 })),
  }),
  ({ kind, net, start, end, clip }): Complaint | undefined => {
    if (end <= start) return { at: ['end'], text: `must be after the start at ${start}, got ${end}.` };
    if (kind === 'own' && clip === undefined) return { at: ['clip'], text: 'is missing: name the clip to show.' };
    if (kind !== 'own' && clip !== undefined)
      return { at: ['clip'], text: `must be left out for ${kind}, got '${clip}'.` };
    if (kind === 'own' && net === undefined)
      return { at: ['net'], text: 'is missing: name the ControlNet for the clip.' };
    return undefined;
  },
);
export type ControlChoice = Infer<typeof control>;

/** What they add to the network is summed. */
export const controlChoices = list(control, maxControls);
