// What the server finds when it examines itself: the lines of `doctor`.

import type { FieldReader } from './fields.ts';

export const checkStatuses = ['ok', 'problem', 'unknown'] as const;
export type CheckStatus = (typeof checkStatuses)[number];

export interface Check {
  /** What was looked at, for example `ffmpeg`. */
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found, in one sentence. */
  readonly detail: string;
  /** What to do; null when there is nothing to do. */
  readonly advice: string | null;
}

const maxChecks = 100;

/** Reads the field `checks`. Throws FieldError. */
export function readChecks(fields: FieldReader): readonly Check[] {
  return fields.objects('checks', maxChecks, ['name', 'status', 'detail', 'advice']).map((check) => ({
    name: check.text('name', { min: 1, max: 100 }),
    status: check.oneOf('status', checkStatuses),
    detail: check.text('detail', { max: 1_000 }),
    advice: check.nullable('advice', () => check.text('advice', { max: 1_000 })),
  }));
}
