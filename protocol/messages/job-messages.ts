// Messages about jobs: estimating an edit, making a job, watching and controlling it.

import { deviceChoices } from '../devices.ts';
import { editSettings } from '../edit-settings.ts';
import { estimates } from '../estimate.ts';
import { flag, list, nullable, oneOf, type ObjectOf } from '../fields.ts';
import { jobKey, queuePosition, jobView, modelId, priority } from '../job.ts';
import { maxJobs, maxListedJobs } from '../limits.ts';
import { estimateId, id, requestId, type MessageOf } from './message.ts';
import { editProgress } from '../progress.ts';

/** The requested edit: clip, settings, model and device. */
const editRequest = {
  clipId: id,
  settings: editSettings,
  /** Id of one of `welcome.models`, or null for the first of them. */
  model: modelId,
  device: oneOf(deviceChoices),
};
export type EditRequest = ObjectOf<typeof editRequest>;

/** Reply: `job` in its new state, which is on the server's disk by then. Running work of the job is stopped meanwhile. */
const jobCommand = { requestId, jobId: id };

export const clientJobMessages = {
  /**
   * Asks what an edit and its preview would need; `settings.preview` makes no difference. It cancels an earlier estimate
   * of this connection that has no answer yet. Reply: `estimated`, or `estimate-canceled`.
   */
  estimate: { requestId, estimateId, ...editRequest },

  /** Reply: `job`, which is on the server's disk by then. */
  'job-create': {
    requestId,
    /** Chosen by the client. A second request with the same key makes no second job, even if its other fields differ. */
    key: jobKey,
    ...editRequest,
    priority,
  },

  /** Reply: `job-listed`. */
  'job-list': {
    requestId,
    /** Lists the jobs after this one; null: from the first. */
    afterJobId: nullable(id),
  },

  'job-get': jobCommand,
  'job-cancel': jobCommand,
  'job-pause': jobCommand,
  'job-resume': jobCommand,

  /** Moves a waiting job in front of another one, or to the end (null). Reply: `job`. */
  'job-move': { requestId, jobId: id, beforeJobId: nullable(id) },

  /** Cancels a job if it still runs, and removes it with its result. Reply: `job-deleted`. */
  'job-delete': { requestId, jobId: id },
};

export const serverJobMessages = {
  /** Reply to `estimate`; `estimateId` is of the question. */
  estimated: { requestId, estimateId, ...estimates },

  /** Reply to an `estimate` that a newer one of the same connection has ended. */
  'estimate-canceled': { requestId, estimateId },

  /** Reply to a request about one job. */
  job: { requestId, job: jobView },

  /** Reply to `job-list`. */
  'job-listed': {
    requestId,
    /** In the order of creation. */
    jobs: list(jobView, maxListedJobs),
    /** False when there are more after the last of these. */
    isComplete: flag,
  },

  /** Reply to `job-delete`. */
  'job-deleted': { requestId, jobId: id },

  /** Event on every connection of the job's owner: something other than the progress has changed. */
  'job-changed': { job: jobView },

  /**
   * Event on every connection of the owner: jobs that wait have moved up or down in the queue, because others came, went or
   * were moved. Nothing else of them has changed.
   */
  'job-positions': { positions: list(queuePosition, maxJobs) },

  /** Event on every connection of the job's owner. Skipped when the client reads too slowly. */
  'job-progress': { jobId: id, progress: editProgress },
};

export type ClientJobMessage = MessageOf<typeof clientJobMessages>;
export type EstimateGet = MessageOf<typeof clientJobMessages, 'estimate'>;
export type JobCreate = MessageOf<typeof clientJobMessages, 'job-create'>;
export type JobListed = MessageOf<typeof serverJobMessages, 'job-listed'>;
