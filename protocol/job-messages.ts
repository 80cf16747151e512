// Messages about jobs: what an edit would take, making one, watching and steering it.

import { deviceChoices } from './devices.ts';
import { editSettings } from './edit-settings.ts';
import { estimates } from './estimate.ts';
import { flag, list, nullable, oneOf, type ObjectOf } from './fields.ts';
import { jobKey, queuePosition, jobView, modelId, priority } from './job.ts';
import { maxJobs, maxListedJobs } from './limits.ts';
import { estimateId, id, requestId, type MessageOf } from './message.ts';
import { editProgress } from './progress.ts';

/** What is to be done to which clip, by what. */
const editRequest = {
  clipId: id,
  settings: editSettings,
  /** Id of one of `welcome.models`, or null for the first of them. */
  model: modelId,
  device: oneOf(deviceChoices),
};
export type EditRequest = ObjectOf<typeof editRequest>;

/** Reply: `job`, as it is then, on the server's disk too. What runs of it is stopped meanwhile. */
const jobCommand = { requestId, jobId: id };

export const clientJobMessages = {
  /**
   * Asks what an edit and its preview would take; `settings.preview` makes no difference. It ends what this connection has
   * asked before and has no answer to. Reply: `estimated`, or `estimate-canceled`.
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
    /** Lists the jobs behind this one; null from the first on. */
    afterJobId: nullable(id),
  },

  'job-get': jobCommand,
  'job-cancel': jobCommand,
  'job-pause': jobCommand,
  'job-resume': jobCommand,

  /** Moves a job that waits to before another one, or to the end (null). Reply: `job`. */
  'job-move': { requestId, jobId: id, beforeJobId: nullable(id) },

  /** Cancels a job where it still runs, and removes it with its result. Reply: `job-deleted`. */
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
    /** In the order of their making. */
    jobs: list(jobView, maxListedJobs),
    /** False when there are more behind the last of these. */
    isComplete: flag,
  },

  /** Reply to `job-delete`. */
  'job-deleted': { requestId, jobId: id },

  /** Event on every connection of the job's owner: anything but the progress has changed. */
  'job-changed': { job: jobView },

  /**
   * Event on every connection of the owner: jobs that wait have moved up or down in the queue, because others came, went or
   * were moved. Nothing else of them has changed.
   */
  'job-positions': { positions: list(queuePosition, maxJobs) },

  /** Event on every connection of the job's owner. Left out when the client does not keep up. */
  'job-progress': { jobId: id, progress: editProgress },
};

export type ClientJobMessage = MessageOf<typeof clientJobMessages>;
export type EstimateGet = MessageOf<typeof clientJobMessages, 'estimate'>;
export type JobCreate = MessageOf<typeof clientJobMessages, 'job-create'>;
export type JobListed = MessageOf<typeof serverJobMessages, 'job-listed'>;
