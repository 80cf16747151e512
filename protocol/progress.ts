// The progress of a running edit.

import { count, nullable, number, object, oneOf, where, type Infer } from './fields.ts';

export const editStages = ['load', 'decode', 'invert', 'edit', 'encode'] as const;
export type EditStage = (typeof editStages)[number];

const fields = object({
  stage: oneOf(editStages),
  /** Units done within the stage, 0..steps: frames for decode and encode, steps for invert and edit. */
  step: count,
  steps: count,
  /** Of the whole edit, 0..1, never falling. */
  progress: number(0, 1),
  /** Estimated seconds until the end, once there is something to estimate from. */
  etaSeconds: nullable(number(0, Number.MAX_VALUE)),
  /**
   * How well a few frames of the clip are reconstructed from their inversion, in decibels. null until that is measured,
   * and in edits that do not measure it.
   */
  reconstructionPsnr: nullable(number(0, Number.MAX_VALUE)),
});

export const editProgress = where(fields, ({ step, steps }) =>
  step <= steps ? undefined : { at: ['step'], text: `must be between 0 and ${steps}, got ${step}.` },
);
export type EditProgress = Infer<typeof editProgress>;
