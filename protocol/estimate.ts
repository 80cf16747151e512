// The time, memory and disk space that an edit will need, estimated before it starts.

import { count, flag, nullable, number, object, text, type Infer, type ObjectOf } from './fields.ts';

const amount = number(0, Number.MAX_SAFE_INTEGER);

const estimate = object({
  /** Frames that will be edited. */
  frames: count,
  /** UNet forwards of one latent, inversion and sampling together. */
  unetEvaluations: amount,
  /** Of the whole edit; null while nothing is known about the speed of the device. */
  seconds: nullable(amount),
  /** Memory of the device, or of the system where the processor computes. */
  peakMemoryBytes: amount,
  /** Most bytes on the disk while the edit runs. */
  diskBytes: amount,
  /** Whether the edit can be done here; `job-create` refuses one that cannot. */
  fits: flag,
  /** What to do if it does not fit or would take long; null when there is nothing to say. */
  advice: nullable(text({ max: 1_000 })),
});
export type Estimate = Infer<typeof estimate>;

/** What an edit and its preview will need. */
export const estimates = {
  edit: estimate,
  /** Null where the preview cannot be estimated. */
  preview: nullable(estimate),
};
export type Estimates = ObjectOf<typeof estimates>;
