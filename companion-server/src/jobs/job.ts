// The life of one job as a value. No clock, no files, no processes: events come in as changes.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { WireError } from '../../../protocol/messages/wire-error.ts';
import { isOutcome, type JobState, type ResultFacts } from '../../../protocol/job.ts';
import type { EditProgress } from '../../../protocol/progress.ts';

/** A job whose engine process dies as often as this, with no step finished in between, is set aside. */
export const maxEngineDeaths = 2;
/** The same for the server. */
export const maxServerDeaths = 3;

export interface Job {
  readonly state: JobState;
  /** The last that was reported; null before the first report. */
  readonly progress: EditProgress | null;
  /** Not null when the job is done. */
  readonly report: EditReport | null;
  readonly result: ResultFacts | null;
  /** Not null when the job has failed or the server has paused it: because the disk was full, or it was set aside. */
  readonly error: WireError | null;
  /** How often its work has begun. */
  readonly starts: number;
  /** How often an engine process has died that worked on it, since it last finished a step. */
  readonly engineDeaths: number;
  /** How often the server has died while it ran, since it last finished a step. */
  readonly serverDeaths: number;
}

export type JobChange =
  | { readonly type: 'start' }
  | { readonly type: 'progress'; readonly progress: EditProgress }
  /** The engine has written a resume point that is further than all before. */
  | { readonly type: 'step' }
  | { readonly type: 'finish'; readonly report: EditReport; readonly result: ResultFacts }
  | { readonly type: 'fail'; readonly error: WireError }
  | { readonly type: 'engine-died'; readonly error: WireError }
  /** Found at the start of a server: the one before it was killed while the job ran. */
  | { readonly type: 'server-died' }
  /** The server stops and has stopped the work. */
  | { readonly type: 'stop' }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'cancel' };

/** Whether the change begins work or reports its progress. Every other change ends work, or frees what it uses. */
export function isBeginning({ type }: JobChange): boolean {
  return type === 'start' || type === 'progress' || type === 'step' || type === 'resume';
}

export const newJob: Job = {
  state: 'queued',
  progress: null,
  report: null,
  result: null,
  error: null,
  starts: 0,
  engineDeaths: 0,
  serverDeaths: 0,
};

/** The job after a change. A change that does not fit the state (a cancel after the end) returns the same job. */
export function changeJob(job: Job, change: JobChange): Job {
  switch (change.type) {
    case 'start':
      return job.state === 'queued' ? { ...job, state: 'running', starts: job.starts + 1 } : job;
    case 'pause':
      return isOutcome(job.state) || job.state === 'paused' ? job : { ...job, state: 'paused' };
    case 'resume':
      return job.state === 'paused' ? { ...job, state: 'queued', error: null, engineDeaths: 0, serverDeaths: 0 } : job;
    case 'cancel':
      return isOutcome(job.state) ? job : { ...job, state: 'canceled', error: null };
    case 'progress':
    case 'step':
    case 'finish':
    case 'fail':
    case 'engine-died':
    case 'server-died':
    case 'stop':
      return job.state === 'running' ? changeRunning(job, change) : job;
  }
}

type RunningChange = Exclude<JobChange, { type: 'start' | 'pause' | 'resume' | 'cancel' }>;

function changeRunning(job: Job, change: RunningChange): Job {
  switch (change.type) {
    case 'progress':
      return change.progress.progress >= (job.progress?.progress ?? 0) ? { ...job, progress: change.progress } : job;
    case 'step':
      return job.engineDeaths === 0 && job.serverDeaths === 0 ? job : { ...job, engineDeaths: 0, serverDeaths: 0 };
    case 'finish':
      return { ...job, state: 'done', report: change.report, result: change.result };
    case 'fail':
      // Its finished steps are complete; only the next one has no space.
      return {
        ...job,
        state: isForWantOfSpace(change.error) ? 'paused' : 'failed',
        error: change.error,
      };
    case 'engine-died': {
      const engineDeaths = job.engineDeaths + 1;
      return engineDeaths < maxEngineDeaths
        ? { ...job, state: 'queued', engineDeaths }
        : { ...job, state: 'paused', engineDeaths, error: engineQuarantine(change.error) };
    }
    case 'server-died': {
      const serverDeaths = job.serverDeaths + 1;
      return serverDeaths < maxServerDeaths
        ? { ...job, state: 'queued', serverDeaths }
        : { ...job, state: 'paused', serverDeaths, error: serverQuarantine };
    }
    case 'stop':
      return { ...job, state: 'queued' };
  }
}

function isForWantOfSpace({ code }: WireError): boolean {
  return code === 'disk-full';
}

/** Finished steps are kept: the user may try again with more memory, or later. */
function engineQuarantine({ message, hint }: WireError): WireError {
  return {
    code: 'engine-crashed',
    message: `The job was set aside, because its engine process died ${maxEngineDeaths} times without finishing a step in between. The last time: ${message}`,
    hint: hint === undefined ? resumeHint : `${resumeHint} ${hint}`,
  };
}

const resumeHint = 'It keeps its work, and goes on from its last finished step when it is resumed.';

const serverQuarantine: WireError = {
  code: 'engine-crashed',
  message: `The job was set aside, because the server ended ${maxServerDeaths} times while it ran, without finishing a step in between.`,
  hint: `${resumeHint} The system may have ended the server for want of memory: close other programs first.`,
};
