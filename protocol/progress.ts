// What a running edit reports.

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
}
