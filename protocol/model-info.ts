// A checkpoint that the server offers.

import type { FieldReader } from './fields.ts';

export interface ModelInfo {
  /** What a job names. */
  readonly id: string;
  /** For people; the id where there is no other. */
  readonly title: string;
  /** What it is good for, in one sentence; empty when nothing is known. */
  readonly goodFor: string;
}

const maxModels = 1_000;

/** Reads the field `models`. Throws FieldError. */
export function readModels(fields: FieldReader): readonly ModelInfo[] {
  return fields.objects('models', maxModels, ['id', 'title', 'goodFor']).map((model) => ({
    id: model.text('id', { min: 1, max: 200 }),
    title: model.text('title', { min: 1, max: 200 }),
    goodFor: model.text('goodFor', { max: 1_000 }),
  }));
}
