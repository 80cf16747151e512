// Messages about jobs: what an edit would take, making one, watching and steering it.

import { deviceChoices, type DeviceChoice } from './devices.ts';
import { parseEditSettings, type EditSettings } from './edit-settings.ts';
import { estimatesKeys, readEstimates, type Estimates } from './estimate.ts';
import type { FieldReader } from './fields.ts';
import { parseJobView, readJobKey, readModelId, readPriority, type JobPlace, type JobView } from './job.ts';
import { maxJobs, maxListedJobs } from './limits.ts';
import { readEstimateId, readId, readRequestId, type MessageReaders } from './message.ts';
import { readEditProgress, type EditProgress } from './progress.ts';

/** What is to be done to which clip, by what. */
export interface EditWish {
  readonly clipId: string;
  readonly settings: EditSettings;
  /** Id of one of `welcome.models`, or null for the first of them. */
  readonly model: string | null;
  readonly device: DeviceChoice;
}

/**
 * Asks what an edit and its preview would take; `settings.preview` makes no difference. It ends what this connection has
 * asked before and has no answer to. Reply: `estimated`, or `estimate-canceled`.
 */
export interface EstimateGet extends EditWish {
  readonly type: 'estimate';
  readonly requestId: number;
  readonly estimateId: number;
}

/** Reply: `job`, which is on the server's disk by then. */
export interface JobCreate extends EditWish {
  readonly type: 'job-create';
  readonly requestId: number;
  /** Chosen by the client. A second request with the same key makes no second job, whatever else it says. */
  readonly key: string;
  readonly priority: number;
}

/** Reply: `job-listed`. */
export interface JobList {
  readonly type: 'job-list';
  readonly requestId: number;
  /** Lists the jobs behind this one; null from the first on. */
  readonly afterJobId: string | null;
}

/** Reply to each: `job`, as it is then, on the server's disk too. What runs of it is stopped meanwhile. */
export interface JobCommand {
  readonly type: 'job-get' | 'job-cancel' | 'job-pause' | 'job-resume';
  readonly requestId: number;
  readonly jobId: string;
}
export type JobGet = JobCommand & { readonly type: 'job-get' };
export type JobCancel = JobCommand & { readonly type: 'job-cancel' };
export type JobPause = JobCommand & { readonly type: 'job-pause' };
export type JobResume = JobCommand & { readonly type: 'job-resume' };

/** Moves a job that waits to before another one, or to the end (null). Reply: `job`. */
export interface JobMove {
  readonly type: 'job-move';
  readonly requestId: number;
  readonly jobId: string;
  readonly beforeJobId: string | null;
}

/** Cancels a job where it still runs, and removes it with its result. Reply: `job-deleted`. */
export interface JobDelete {
  readonly type: 'job-delete';
  readonly requestId: number;
  readonly jobId: string;
}

/** Reply to `estimate`. */
export interface Estimated extends Estimates {
  readonly type: 'estimated';
  readonly requestId: number;
  /** Of the question. */
  readonly estimateId: number;
}

/** Reply to an `estimate` that a newer one of the same connection has ended. */
export interface EstimateCanceled {
  readonly type: 'estimate-canceled';
  readonly requestId: number;
  readonly estimateId: number;
}

/** Reply to a request about one job. */
export interface JobReply {
  readonly type: 'job';
  readonly requestId: number;
  readonly job: JobView;
}

/** Reply to `job-list`. */
export interface JobListed {
  readonly type: 'job-listed';
  readonly requestId: number;
  /** In the order of their making. */
  readonly jobs: readonly JobView[];
  /** False when there are more behind the last of these. */
  readonly isComplete: boolean;
}

/** Reply to `job-delete`. */
export interface JobDeleted {
  readonly type: 'job-deleted';
  readonly requestId: number;
  readonly jobId: string;
}

/** Event on every connection of the job's owner: anything but the progress has changed. */
export interface JobChanged {
  readonly type: 'job-changed';
  readonly job: JobView;
}

/**
 * Event on every connection of the owner: jobs that wait have moved up or down in the queue, because others came, went or
 * were moved. Nothing else of them has changed.
 */
export interface JobPlaces {
  readonly type: 'job-places';
  readonly places: readonly JobPlace[];
}

/** Event on every connection of the job's owner. Left out when the client does not keep up. */
export interface JobProgress {
  readonly type: 'job-progress';
  readonly jobId: string;
  readonly progress: EditProgress;
}

export type ClientJobMessage =
  EstimateGet | JobCreate | JobList | JobGet | JobCancel | JobPause | JobResume | JobMove | JobDelete;
export type ServerJobMessage =
  Estimated | EstimateCanceled | JobReply | JobListed | JobDeleted | JobChanged | JobPlaces | JobProgress;

const wishKeys = ['clipId', 'settings', 'model', 'device'];

function readWish(fields: FieldReader): EditWish {
  return {
    clipId: readId(fields, 'clipId'),
    settings: parseEditSettings(fields.value('settings'), `${fields.path}.settings`),
    model: readModelId(fields),
    device: fields.oneOf('device', deviceChoices),
  };
}

const readJobId = (fields: FieldReader): { requestId: number; jobId: string } => ({
  requestId: readRequestId(fields),
  jobId: readId(fields, 'jobId'),
});
const jobIdKeys = ['requestId', 'jobId'];

const readJob = (fields: FieldReader): JobView => parseJobView(fields.value('job'), `${fields.path}.job`);

export const clientJobReaders: MessageReaders<ClientJobMessage> = {
  estimate: {
    keys: ['requestId', 'estimateId', ...wishKeys],
    read: (fields) => ({
      type: 'estimate',
      requestId: readRequestId(fields),
      estimateId: readEstimateId(fields),
      ...readWish(fields),
    }),
  },
  'job-create': {
    keys: ['requestId', 'key', ...wishKeys, 'priority'],
    read: (fields) => ({
      type: 'job-create',
      requestId: readRequestId(fields),
      key: readJobKey(fields),
      ...readWish(fields),
      priority: readPriority(fields),
    }),
  },
  'job-list': {
    keys: ['requestId', 'afterJobId'],
    read: (fields) => ({
      type: 'job-list',
      requestId: readRequestId(fields),
      afterJobId: fields.nullable('afterJobId', () => readId(fields, 'afterJobId')),
    }),
  },
  'job-get': {
    keys: jobIdKeys,
    read: (fields) => ({ type: 'job-get', ...readJobId(fields) }),
  },
  'job-cancel': {
    keys: jobIdKeys,
    read: (fields) => ({ type: 'job-cancel', ...readJobId(fields) }),
  },
  'job-pause': {
    keys: jobIdKeys,
    read: (fields) => ({ type: 'job-pause', ...readJobId(fields) }),
  },
  'job-resume': {
    keys: jobIdKeys,
    read: (fields) => ({ type: 'job-resume', ...readJobId(fields) }),
  },
  'job-move': {
    keys: [...jobIdKeys, 'beforeJobId'],
    read: (fields) => ({
      type: 'job-move',
      ...readJobId(fields),
      beforeJobId: fields.nullable('beforeJobId', () => readId(fields, 'beforeJobId')),
    }),
  },
  'job-delete': {
    keys: jobIdKeys,
    read: (fields) => ({ type: 'job-delete', ...readJobId(fields) }),
  },
};

export const serverJobReaders: MessageReaders<ServerJobMessage> = {
  estimated: {
    keys: ['requestId', 'estimateId', ...estimatesKeys],
    read: (fields) => ({
      type: 'estimated',
      requestId: readRequestId(fields),
      estimateId: readEstimateId(fields),
      ...readEstimates(fields),
    }),
  },
  'estimate-canceled': {
    keys: ['requestId', 'estimateId'],
    read: (fields) => ({
      type: 'estimate-canceled',
      requestId: readRequestId(fields),
      estimateId: readEstimateId(fields),
    }),
  },
  job: {
    keys: ['requestId', 'job'],
    read: (fields) => ({ type: 'job', requestId: readRequestId(fields), job: readJob(fields) }),
  },
  'job-listed': {
    keys: ['requestId', 'jobs', 'isComplete'],
    read: (fields) => ({
      type: 'job-listed',
      requestId: readRequestId(fields),
      jobs: fields.items('jobs', maxListedJobs).map(({ value, path }) => parseJobView(value, path)),
      isComplete: fields.flag('isComplete'),
    }),
  },
  'job-deleted': {
    keys: jobIdKeys,
    read: (fields) => ({ type: 'job-deleted', ...readJobId(fields) }),
  },
  'job-changed': {
    keys: ['job'],
    read: (fields) => ({ type: 'job-changed', job: readJob(fields) }),
  },
  'job-places': {
    keys: ['places'],
    read: (fields) => ({
      type: 'job-places',
      places: fields.objects('places', maxJobs, ['jobId', 'position']).map((place) => ({
        jobId: readId(place, 'jobId'),
        position: place.integer('position', 0, Number.MAX_SAFE_INTEGER),
      })),
    }),
  },
  'job-progress': {
    keys: ['jobId', 'progress'],
    read: (fields) => ({
      type: 'job-progress',
      jobId: readId(fields, 'jobId'),
      progress: readEditProgress(fields),
    }),
  },
};
