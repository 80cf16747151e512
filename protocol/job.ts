// A job as its owner sees it: the same in every reply and event.

import { readEditReport, type EditReport } from './edit-report.ts';
import { parseEditSettings, type EditSettings } from './edit-settings.ts';
import { readWireError, type WireError } from './wire-error.ts';
import { FieldError, readFields, type FieldReader } from './fields.ts';
import { maxPriority } from './limits.ts';
import { readEditProgress, type EditProgress } from './progress.ts';

export const jobStates = ['queued', 'running', 'paused', 'done', 'failed', 'canceled'] as const;
export type JobState = (typeof jobStates)[number];

/** What can be downloaded of a job that is done. */
export interface ResultFacts {
  readonly sizeBytes: number;
  /** Of the whole result. */
  readonly sha256: string;
}

export interface JobView {
  /** 32 lower-case hexadecimal digits, as every id of the server. */
  readonly jobId: string;
  /** As the client chose it: a second request with the same key gets the same job. */
  readonly key: string;
  readonly clipId: string;
  readonly state: JobState;
  /** -10..10; higher runs earlier. */
  readonly priority: number;
  /** Jobs that will run before this one; null unless it is queued. */
  readonly position: number | null;
  /** UTC, for example `2026-11-22T19:20:08.123Z`. */
  readonly createdAt: string;
  readonly settings: EditSettings;
  /** Id of the model; null for the server's first. */
  readonly model: string | null;
  /** The last that was reported; null before the first report. */
  readonly progress: EditProgress | null;
  /** Not null when the job is done. */
  readonly report: EditReport | null;
  readonly result: ResultFacts | null;
  /** Not null when the job has failed, or was paused by the server: for want of space, or because it was set aside. */
  readonly error: WireError | null;
  /** How often the job has gone on from its last step, after a pause, a crash or a restart. */
  readonly resumes: number;
}

/** Where a queued job is now. */
export interface JobPlace {
  readonly jobId: string;
  /** Jobs that will run before it. */
  readonly position: number;
}

const jobViewKeys = [
  ...['jobId', 'key', 'clipId', 'state', 'priority', 'position', 'createdAt', 'settings', 'model'],
  ...['progress', 'report', 'result', 'error', 'resumes'],
];

/** Whether the job has an outcome, which nothing changes any more. */
export function isOutcome(state: JobState): boolean {
  return state === 'done' || state === 'failed' || state === 'canceled';
}

/** Checks every field. Throws FieldError that names the field below `path`. */
export function parseJobView(value: unknown, path = 'job'): JobView {
  const fields = readFields(value, path, jobViewKeys);
  return {
    jobId: fields.hex('jobId', 32),
    key: readJobKey(fields),
    clipId: fields.hex('clipId', 32),
    state: fields.oneOf('state', jobStates),
    priority: readPriority(fields),
    position: fields.nullable('position', () => fields.integer('position', 0, Number.MAX_SAFE_INTEGER)),
    createdAt: readInstant(fields, 'createdAt'),
    settings: parseEditSettings(fields.value('settings'), `${path}.settings`),
    model: readModelId(fields),
    progress: fields.nullable('progress', () => readEditProgress(fields)),
    report: fields.nullable('report', () => readEditReport(fields)),
    result: fields.nullable('result', () => readResultFacts(fields)),
    error: fields.nullable('error', () => readWireError(fields)),
    resumes: fields.integer('resumes', 0, Number.MAX_SAFE_INTEGER),
  };
}

/** Reads the field `key`: 8 to 64 letters, digits, `-` and `_`. */
export function readJobKey(fields: FieldReader): string {
  const key = fields.text('key', { min: 8, max: 64 });
  if (/^[\w-]*$/.test(key)) return key;
  throw new FieldError(`${fields.path}.key`, 'must have only letters, digits, - and _.');
}

export function readPriority(fields: FieldReader): number {
  return fields.integer('priority', -maxPriority, maxPriority);
}

/** Reads the field `model`, which may be null. */
export function readModelId(fields: FieldReader): string | null {
  return fields.nullable('model', () => fields.text('model', { min: 1, max: 200 }));
}

function readInstant(fields: FieldReader, key: string): string {
  const instant = fields.text(key, { max: 30 });
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(instant)) return instant;
  throw new FieldError(`${fields.path}.${key}`, 'must be a time in UTC as 2026-11-22T19:20:08Z.');
}

function readResultFacts(fields: FieldReader): ResultFacts {
  const result = fields.object('result', ['sizeBytes', 'sha256']);
  return {
    sizeBytes: result.integer('sizeBytes', 0, Number.MAX_SAFE_INTEGER),
    sha256: result.hex('sha256', 64),
  };
}
