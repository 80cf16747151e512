// What a running edit reports.

import type { FieldReader } from './fields.ts';

export const editStages = ['load', 'decode', 'invert', 'edit', 'encode'] as const;
export type EditStage = (typeof editStages)[number];

export interface EditProgress {
  readonly stage: EditStage;
  /** Units done within the stage, 0..steps: frames for decode and encode, steps for invert and edit. */
  readonly step: number;
  readonly steps: number;
  /** Of the whole edit, 0..1, never falling. */
  readonly progress: number;
  /** Estimated seconds until the end, once there is something to estimate from. */
  readonly etaSeconds: number | null;
  /**
   * How well a few frames of the clip are found again from their inversion, in decibels, before the rest is paid for. null
   * until that is measured, and where it is not.
   */
  readonly reconstructionPsnr: number | null;
}

/** Reads the progress in the field `progress`. Throws FieldError. */
export function readEditProgress(fields: FieldReader): EditProgress {
  const keys = ['stage', 'step', 'steps', 'progress', 'etaSeconds', 'reconstructionPsnr'];
  const progress = fields.object('progress', keys);
  const steps = progress.integer('steps', 0, Number.MAX_SAFE_INTEGER);
  return {
    stage: progress.oneOf('stage', editStages),
    step: progress.integer('step', 0, steps),
    steps,
    progress: progress.number('progress', 0, 1),
    etaSeconds: progress.nullable('etaSeconds', () => progress.number('etaSeconds', 0, Number.MAX_VALUE)),
    reconstructionPsnr: progress.nullable('reconstructionPsnr', () =>
      progress.number('reconstructionPsnr', 0, Number.MAX_VALUE),
    ),
  };
}
