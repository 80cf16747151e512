// What the server finds when it examines itself: the lines of `doctor`.

import { list, nullable, object, oneOf, text, type Infer } from './fields.ts';

export const checkStatuses = ['ok', 'problem', 'unknown'] as const;
export type CheckStatus = (typeof checkStatuses)[number];

const check = object({
  /** What was looked at, for example `ffmpeg`. */
  name: text({ min: 1, max: 100 }),
  status: oneOf(checkStatuses),
  /** What was found, in one sentence. */
  detail: text({ max: 1_000 }),
  /** What to do; null when there is nothing to do. */
  advice: nullable(text({ max: 1_000 })),
});
export type Check = Infer<typeof check>;

export const checks = list(check, 100);
