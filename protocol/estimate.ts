// What an edit will take, told before it is started.

import type { FieldReader } from './fields.ts';

export interface Estimate {
  /** Frames that will be edited. */
  readonly frames: number;
  /** UNet forwards of one latent, inversion and sampling together. */
  readonly unetEvaluations: number;
  /** Of the whole edit; null while nothing is known about the speed of the device. */
  readonly seconds: number | null;
  /** Memory of the device, or of the system where the processor computes. */
  readonly peakMemoryBytes: number;
  /** Most that lies on the disk while the edit runs. */
  readonly diskBytes: number;
  /** Whether it can be done here; `job-create` refuses what cannot. */
  readonly fits: boolean;
  /** What to do where it does not fit or would take long; null when there is nothing to say. */
  readonly advice: string | null;
}

/** What an edit will take, and its preview. */
export interface Estimates {
  readonly edit: Estimate;
  /** Null where the preview cannot be estimated. */
  readonly preview: Estimate | null;
}

const estimateKeys = [
  ...['frames', 'unetEvaluations', 'seconds', 'peakMemoryBytes', 'diskBytes', 'fits', 'advice'],
] as const;

export const estimatesKeys = ['edit', 'preview'] as const;

/** Reads both estimates. Throws FieldError. */
export function readEstimates(fields: FieldReader): Estimates {
  return {
    edit: readEstimate(fields.object('edit', estimateKeys)),
    preview: fields.nullable('preview', () => readEstimate(fields.object('preview', estimateKeys))),
  };
}

function readEstimate(fields: FieldReader): Estimate {
  const amount = (key: string): number => fields.number(key, 0, Number.MAX_SAFE_INTEGER);
  return {
    frames: fields.integer('frames', 0, Number.MAX_SAFE_INTEGER),
    unetEvaluations: amount('unetEvaluations'),
    seconds: fields.nullable('seconds', () => amount('seconds')),
    peakMemoryBytes: amount('peakMemoryBytes'),
    diskBytes: amount('diskBytes'),
    fits: fields.flag('fits'),
    advice: fields.nullable('advice', () => fields.text('advice', { max: 1_000 })),
  };
}
