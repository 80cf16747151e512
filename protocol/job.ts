// A job as its owner sees it: the same in every reply and event.

import { editReport } from './edit-report.ts';
import { editSettings } from './edit-settings.ts';
import { count, hex, integer, nullable, object, oneOf, text, where, type Infer } from './fields.ts';
import { maxPriority } from './limits.ts';
import { id } from './messages/message.ts';
import { editProgress } from './progress.ts';
import { wireError } from './messages/wire-error.ts';

export const jobStates = ['queued', 'running', 'paused', 'done', 'failed', 'canceled'] as const;
export type JobState = (typeof jobStates)[number];

/** As the client chose it: a second request with the same key gets the same job. 8 to 64 letters, digits, `-` and `_`. */
export const jobKey = where(text({ min: 8, max: 64 }), (key) =>
  /^[\w-]*$/.test(key) ? undefined : 'must have only letters, digits, - and _.',
);

/** Higher runs earlier. */
export const priority = integer(-maxPriority, maxPriority);

/** Id of the model; null for the server's first. */
export const modelId = nullable(text({ min: 1, max: 200 }));

const instant = where(text({ max: 30 }), (time) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(time) ? undefined : 'must be a time in UTC as 2026-11-22T19:20:08Z.',
);

/** The download of a finished job. */
const resultFacts = object({
  sizeBytes: count,
  /** Of the whole result. */
  sha256: hex(64),
});
export type ResultFacts = Infer<typeof resultFacts>;

export const jobView = object({
  jobId: id,
  key: jobKey,
  clipId: id,
  state: oneOf(jobStates),
  priority,
  /** Jobs that will run before this one; null unless it is queued. */
  position: nullable(count),
  /** UTC, for example `2026-11-22T19:20:08.123Z`. */
  createdAt: instant,
  settings: editSettings,
  model: modelId,
  /** The last that was reported; null before the first report. */
  progress: nullable(editProgress),
  /** Not null when the job is done. */
  report: nullable(editReport),
  result: nullable(resultFacts),
  /** Not null when the job has failed or the server has paused it: because the disk was full, or it was set aside. */
  error: nullable(wireError),
  /** How often the job has continued from its last step, after a pause, a crash or a restart. */
  resumes: count,
});
export type JobView = Infer<typeof jobView>;

/** The new position of a queued job. */
export const queuePosition = object({
  jobId: id,
  /** Jobs that will run before it. */
  position: count,
});
export type QueuePosition = Infer<typeof queuePosition>;

/** Whether the job has an outcome, which is final. */
export function isOutcome(state: JobState): boolean {
  return state === 'done' || state === 'failed' || state === 'canceled';
}
