// The jobs of one connection. They end with it.

import { randomBytes } from 'node:crypto';
import type { JobCancel, JobCreate, JobDelete } from '../../../protocol/client-messages.ts';
import { windowBytes } from '../../../protocol/limits.ts';
import type { JobEvent } from '../../../protocol/server-messages.ts';
import type { EditResult, EditSpec } from '../edit-work.ts';
import { EditError } from '../errors.ts';
import type { Job } from '../jobs/job.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Peer } from './peer.ts';

/** Jobs that one connection may have at once, finished ones included. */
const maxJobs = 64;

export interface SessionJobsDeps {
  readonly queue: JobQueue<EditSpec, EditResult>;
  /** Checkpoint folders by name; the first is the default. */
  readonly models: ReadonlyMap<string, string>;
  readonly clipPathOf: (clipId: string) => string;
}

export interface SessionJobs {
  create(message: JobCreate): void;
  cancel(message: JobCancel): void;
  delete(message: JobDelete): Promise<void>;
  /** The result of a finished job. Throws EditError when there is none. */
  resultOf(jobId: string): EditResult;
  /** Cancels and removes every job. */
  close(): Promise<void>;
}

export function createSessionJobs(
  peer: Peer,
  { queue, models, clipPathOf }: SessionJobsDeps,
): SessionJobs {
  const jobIds = new Set<string>();

  function jobOf(jobId: string): Job<EditResult> {
    const job = jobIds.has(jobId) ? queue.get(jobId) : undefined;
    if (job !== undefined) return job;
    throw new EditError('invalid-request', `There is no job ${jobId} on this connection.`);
  }

  function report(jobId: string, job: Job<EditResult>): void {
    // Progress is worth nothing when it comes late: a client that does not read gets only the outcome.
    if (job.state === 'running' && peer.waitingBytes() > windowBytes) return;
    const event = toEvent(jobId, job);
    if (event !== undefined && jobIds.has(jobId)) peer.send(event);
  }

  return {
    create({ requestId, clipId, settings, model, device }) {
      if (jobIds.size >= maxJobs) {
        throw new EditError('invalid-request', `A connection may have ${maxJobs} jobs.`, {
          hint: 'Delete a finished job first.',
        });
      }
      const clipPath = clipPathOf(clipId);
      const modelDir = chooseModel(models, model);
      const jobId = randomBytes(16).toString('hex');
      jobIds.add(jobId);
      queue.add(jobId, { clipPath, modelDir, device, settings }, (job) => report(jobId, job));
      peer.send({ type: 'job-created', requestId, jobId });
    },
    cancel({ requestId, jobId }) {
      jobOf(jobId);
      peer.send({ type: 'job-canceling', requestId, jobId });
      queue.cancel(jobId);
    },
    async delete({ requestId, jobId }) {
      jobOf(jobId);
      await queue.remove(jobId);
      jobIds.delete(jobId);
      peer.send({ type: 'job-deleted', requestId, jobId });
    },
    resultOf(jobId) {
      const job = jobOf(jobId);
      if (job.state === 'done') return job.result;
      throw new EditError('invalid-request', `Job ${jobId} has no result: it is ${job.state}.`);
    },
    async close() {
      const removed = [...jobIds];
      jobIds.clear();
      await Promise.all(removed.map((jobId) => queue.remove(jobId)));
    },
  };
}

function chooseModel(models: ReadonlyMap<string, string>, name: string | null): string {
  const chosen = name ?? models.keys().next().value;
  const modelDir = chosen === undefined ? undefined : models.get(chosen);
  if (modelDir !== undefined) return modelDir;
  const known = models.size === 0 ? 'none' : [...models.keys()].join(', ');
  throw new EditError(
    'model-missing',
    chosen === undefined
      ? 'The server has no model.'
      : `The server has no model named '${chosen}'; it has ${known}.`,
    { hint: 'Start the server with --model DIR, a checkpoint folder in diffusers layout.' },
  );
}

function toEvent(jobId: string, job: Job<EditResult>): JobEvent | undefined {
  switch (job.state) {
    case 'queued':
      return undefined;
    case 'running':
      return job.progress === null
        ? { type: 'job-started', jobId }
        : { type: 'job-progress', jobId, progress: job.progress };
    case 'done': {
      const { report, sizeBytes, sha256 } = job.result;
      return { type: 'job-done', jobId, report, result: { sizeBytes, sha256 } };
    }
    case 'failed':
      return { type: 'job-failed', jobId, error: job.error };
    case 'canceled':
      return { type: 'job-canceled', jobId };
  }
}
