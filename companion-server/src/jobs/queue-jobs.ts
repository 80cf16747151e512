// The jobs of all clients on the queue in memory: they end with the server.

import { randomBytes } from 'node:crypto';
import type { Estimate } from '../../../protocol/estimate.ts';
import type { EditWish } from '../../../protocol/job-messages.ts';
import type { JobView, ResultFacts } from '../../../protocol/job.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import { EditError } from '../errors.ts';
import { isOver, type Job } from './job.ts';
import type { JobQueue } from './queue.ts';

type Request = EditWish & { readonly key: string; readonly priority: number };
type Result = ResultFacts & { readonly path: string; readonly report: EditReport };

interface Entry {
  readonly owner: string;
  readonly request: Request;
  readonly createdAt: string;
}

/** `specOf` turns a request into the work of the queue, or throws EditError. */
export function createQueueJobs<Spec>(
  queue: JobQueue<Spec, Result>,
  specOf: (owner: string, request: Request) => Spec,
) {
  const entries = new Map<string, Entry>();
  const listeners = new Map<string, Set<(view: JobView) => void>>();

  function find(
    owner: string,
    jobId: string,
  ): { readonly entry: Entry; readonly job: Job<Result> } {
    const entry = entries.get(jobId);
    const job = queue.get(jobId);
    if (entry?.owner === owner && job !== undefined) return { entry, job };
    throw new EditError('job-missing', `There is no job ${jobId}.`);
  }

  function viewOf(jobId: string, { request, createdAt }: Entry, job: Job<Result>): JobView {
    const { key, clipId, settings, model, priority } = request;
    const facts = job.state === 'done' ? job.result : null;
    const result = facts === null ? null : { sizeBytes: facts.sizeBytes, sha256: facts.sha256 };
    return {
      ...{ jobId, key, clipId, priority, createdAt, settings, model, result },
      state: job.state,
      position: job.state === 'queued' ? 0 : null,
      progress: job.state === 'running' ? job.progress : null,
      report: facts?.report ?? null,
      error: job.state === 'failed' ? job.error : null,
      resumes: 0,
    };
  }

  const get = (owner: string, jobId: string): JobView => {
    const { entry, job } = find(owner, jobId);
    return viewOf(jobId, entry, job);
  };
  const list = (owner: string): JobView[] =>
    [...entries].flatMap(([jobId, entry]) => (entry.owner === owner ? [get(owner, jobId)] : []));
  const refuse = (): never => {
    throw new EditError('invalid-request', 'The queue of this server knows no order but arrival.');
  };

  return {
    get,
    list,
    pause: refuse,
    resume: refuse,
    move: refuse,
    estimate: (): Promise<Estimate> =>
      Promise.reject(new EditError('invalid-request', 'This server makes no estimates.')),
    create(owner: string, request: Request): JobView {
      const known = list(owner).find(({ key }) => key === request.key);
      if (known !== undefined) return known;
      const jobId = randomBytes(16).toString('hex');
      const entry = { owner, request, createdAt: new Date().toISOString() };
      const spec = specOf(owner, request);
      entries.set(jobId, entry);
      queue.add(jobId, spec, (job) => {
        for (const listener of listeners.get(owner) ?? []) listener(viewOf(jobId, entry, job));
      });
      return get(owner, jobId);
    },
    cancel(owner: string, jobId: string): JobView {
      if (!isOver(find(owner, jobId).job)) queue.cancel(jobId);
      return get(owner, jobId);
    },
    async remove(owner: string, jobId: string): Promise<void> {
      find(owner, jobId);
      await queue.remove(jobId);
      entries.delete(jobId);
    },
    result(owner: string, jobId: string): Result {
      const { job } = find(owner, jobId);
      if (job.state === 'done') return job.result;
      throw new EditError('invalid-request', `Job ${jobId} has no result: it is ${job.state}.`);
    },
    subscribe(owner: string, listener: (view: JobView) => void): () => void {
      const own = listeners.get(owner) ?? new Set();
      listeners.set(owner, own.add(listener));
      return () => void own.delete(listener);
    },
  };
}
