// The jobs of every client. A change is on the disk before anyone hears of it, so that jobs survive connections,
// engines and servers. What a job does is passed in.

import { randomBytes } from 'node:crypto';
import type { Estimate } from '../../../protocol/estimate.ts';
import { isOutcome, type JobPlace, type JobState, type JobView, type ResultFacts } from '../../../protocol/job.ts';
import { maxJobs, maxWaitingJobs } from '../../../protocol/limits.ts';
import { EditError } from '../errors.ts';
import type { Database } from '../store/database.ts';
import { changeJob, isBeginning, newJob, type Job, type JobChange } from './job.ts';
import { createJobTable, type JobRecord, type JobRequest } from './job-table.ts';
import { listen } from './listeners.ts';
import { createPlaceTeller, placeBefore, placeFor } from './places.ts';
import { requireWholeResult } from './result-file.ts';
import { createRunner } from './runner.ts';
import type { JobSpec, JobWork } from './work.ts';

/** Every method with a `jobId` throws EditError 'job-missing' when there is no such job. What they return is on the disk. */
export interface Jobs {
  /**
   * Queues a job, or returns the one that the owner has created with this key before, whatever else is asked for. Throws
   * EditError 'clip-missing', 'model-missing', or 'limit-reached' when the owner has too many jobs.
   */
  create(owner: string, request: JobRequest): JobView;
  /** Oldest first: all, or at most `most` of those that came after the job `afterJobId`, or after none for null. */
  list(owner: string, afterJobId?: string | null, most?: number): JobView[];
  get(owner: string, jobId: string): JobView;
  ownerOf(jobId: string): string;
  /** Whether the owner has created a job with this key. */
  hasKey(owner: string, key: string): boolean;
  /** Whether a job of the owner that is not over edits the clip. */
  needsClip(owner: string, clipId: string): boolean;
  /** Of all owners' jobs. */
  countByState(): Record<JobState, number>;
  /** What a job would take. Throws EditError; CanceledError once `signal` is aborted. */
  estimate(owner: string, spec: JobSpec, signal?: AbortSignal): Promise<Estimate>;
  /** Ends a job that is not over. Its work is stopped at once. */
  cancel(owner: string, jobId: string): JobView;
  /** Takes a job from the queue, or stops its work, until it is resumed. */
  pause(owner: string, jobId: string): JobView;
  /** Queues a paused job again, one that was set aside as well; it goes on from its last finished step. */
  resume(owner: string, jobId: string): JobView;
  /** Puts a queued job before another queued one, or behind all for null; it gets the priority of its new place. */
  move(owner: string, jobId: string, beforeJobId: string | null): JobView;
  /** Cancels the job if it is not over, waits for its end, and removes all that there is of it. */
  remove(owner: string, jobId: string): Promise<void>;
  /** The result of a job that is done. Throws EditError 'result-invalid' when the file is not what it was. */
  result(owner: string, jobId: string): ResultFacts & { readonly path: string };
  /** Calls `listener` with every new state or progress of the owner's jobs. Returns what ends that. */
  subscribe(owner: string, listener: (view: JobView) => void): () => void;
  /** Calls `listener` with the owner's jobs that have moved in the queue by what became of others. Returns what ends that. */
  subscribePlaces(owner: string, listener: (places: readonly JobPlace[]) => void): () => void;
  /** Stops the running job, which goes on first when the server starts again. */
  close(): Promise<void>;
}

export interface JobsOptions {
  /** Opened with `jobMigrations`. */
  readonly database: Database;
  readonly work: JobWork;
  /** Told of every failure, with the error as it was thrown. */
  readonly onFailure?: (jobId: string | null, error: unknown) => void;
  readonly now?: () => Date;
  /** How long to wait before a write is tried again that has failed. Default: 2 seconds. */
  readonly retryMs?: number;
}

/** Takes up the jobs that the database holds, and goes on with them. */
export async function openJobs({
  database,
  work,
  onFailure = () => undefined,
  now = () => new Date(),
  retryMs = 2_000,
}: JobsOptions): Promise<Jobs> {
  const table = createJobTable(database);
  const listeners = new Map<string, Set<(view: JobView) => void>>();
  /** The running job as it is, with its progress, which is not worth a write of its own. */
  let running: JobRecord | undefined;
  const placeListeners = new Map<string, Set<(places: readonly JobPlace[]) => void>>();
  const teller = createPlaceTeller(
    () => table.waiting(),
    (owner, places) => {
      for (const listener of placeListeners.get(owner) ?? []) listener(places);
    },
  );
  const removals = new Set<Promise<void>>();

  const runner = createRunner({
    claim,
    run: (record, hooks) => work.run(record, hooks),
    change: (jobId, change) => void apply(jobId, change),
    onStopped,
    onFailure,
    retryMs,
  });

  function lookUp(jobId: string): JobRecord | undefined {
    return running?.jobId === jobId ? running : table.get(jobId);
  }

  /** `owner` null: anybody's. */
  function find(owner: string | null, jobId: string): JobRecord {
    const record = lookUp(jobId);
    if (record !== undefined && (owner === null || record.owner === owner)) return record;
    throw new EditError('job-missing', `There is no job ${jobId}.`, {
      hint: 'It may have been deleted, or belong to another client.',
    });
  }

  /** Writes the change, then tells of it. Returns the job after it; undefined when there is none (any more). */
  function apply(jobId: string, change: JobChange): JobRecord | undefined {
    const before = lookUp(jobId);
    if (before === undefined) return undefined;
    const job = changeJob(before.job, change);
    if (job === before.job) return before;
    const record = { ...before, job };
    if (change.type !== 'progress') write(record, before.job, change);
    if (job.state === 'running') running = record;
    else if (running?.jobId === jobId) running = undefined;
    if (job.state === before.job.state) tell(record);
    else tellWithPlaces(record);
    return record;
  }

  function write({ jobId, request, job }: JobRecord, before: Job, change: JobChange): void {
    const { priority } = request;
    const isUrgent = !isBeginning(change);
    table[isUrgent ? 'urgently' : 'transaction'](() => {
      table.update(jobId, job);
      if (job.state !== 'queued' || before.state === 'queued') return;
      // What was interrupted goes on first; what was paused has given up its place.
      const place = change.type === 'resume' ? placeFor(priority, table.waitingBeside(jobId)) : 0;
      table.place(jobId, place, priority);
    });
  }

  function claim(): JobRecord | undefined {
    const first = table.nextWaiting();
    return first === undefined ? undefined : apply(first, { type: 'start' });
  }

  async function onStopped(jobId: string): Promise<void> {
    const state = table.get(jobId)?.job.state;
    if (state === 'done') await work.tidy(jobId);
    else if (state === undefined || isOutcome(state)) await work.discard(jobId);
  }

  function tell(record: JobRecord): void {
    for (const listener of listeners.get(record.owner) ?? []) listener(viewOf(record));
  }

  /** Tells of a job that has come to the queue, left it or moved in it, and soon of those whose place has changed by that. */
  function tellWithPlaces(record: JobRecord): void {
    tell(record);
    teller.note();
  }

  function viewOf({ jobId, createdAt, request, job }: JobRecord): JobView {
    const { key, clipId, settings, model, priority } = request;
    const { state, progress, report, result, error } = job;
    return {
      jobId,
      key,
      clipId,
      state,
      priority,
      createdAt,
      settings,
      model,
      progress,
      report,
      result,
      error,
      position: state === 'queued' ? table.placeOf(jobId) : null,
      resumes: Math.max(0, job.starts - 1),
    };
  }

  /** Applies what a client asks for. */
  function ask(owner: string, jobId: string, type: 'cancel' | 'pause' | 'resume'): JobView {
    find(owner, jobId);
    const record = apply(jobId, { type }) ?? find(owner, jobId);
    if (type === 'resume') runner.wake();
    else if (record.job.state !== 'done') void runner.stop(jobId);
    if (record.job.state === 'canceled' && runner.current() !== jobId) void removeFiles(jobId);
    return viewOf(record);
  }

  /** Never rejects: what cannot be removed now, a file that Windows has open for a download, goes at the next start. */
  function removeFiles(jobId: string): Promise<void> {
    const removal = work
      .discard(jobId)
      .catch((error: unknown) => onFailure(jobId, error))
      .finally(() => removals.delete(removal));
    removals.add(removal);
    return removal;
  }

  function create(owner: string, request: JobRequest): JobView {
    const known = table.byKey(owner, request.key);
    if (known !== undefined) return viewOf(lookUp(known.jobId) ?? known);
    requireRoom(owner);
    work.check(owner, request);
    const jobId = randomBytes(16).toString('hex');
    const record = { jobId, owner, createdAt: now().toISOString(), request, job: newJob };
    table.transaction(() => {
      table.insert(record);
      table.place(jobId, placeFor(request.priority, table.waitingBeside(jobId)), request.priority);
    });
    tellWithPlaces(record);
    runner.wake();
    return viewOf(record);
  }

  function requireRoom(owner: string): void {
    const { all, unfinished } = table.countOf(owner);
    if (all < maxJobs && unfinished < maxWaitingJobs) return;
    throw new EditError(
      'limit-reached',
      `A client may have ${maxJobs} jobs, ${maxWaitingJobs} of them not over; there are ${all} and ${unfinished}.`,
      { hint: 'Delete finished jobs first, or wait for some to end.' },
    );
  }

  function queuedOf(owner: string, jobId: string): JobRecord {
    const record = find(owner, jobId);
    if (record.job.state === 'queued') return record;
    throw new EditError('invalid-request', `Job ${jobId} is not queued: it is ${record.job.state}.`);
  }

  function move(owner: string, jobId: string, beforeJobId: string | null): JobView {
    const record = queuedOf(owner, jobId);
    if (beforeJobId === jobId) return viewOf(record);
    if (beforeJobId !== null) queuedOf(owner, beforeJobId);
    const others = table.waitingBeside(jobId);
    const place = placeBefore(beforeJobId, others);
    const priority = (others[place] ?? others.at(-1))?.priority ?? record.request.priority;
    table.transaction(() => table.place(jobId, place, priority));
    const moved = find(owner, jobId);
    tellWithPlaces(moved);
    return viewOf(moved);
  }

  async function remove(owner: string, jobId: string): Promise<void> {
    find(owner, jobId);
    apply(jobId, { type: 'cancel' });
    await runner.stop(jobId);
    // First the files: a server that ends in between knows whose they were.
    await removeFiles(jobId);
    table.delete(jobId);
  }

  function result(owner: string, jobId: string): ResultFacts & { readonly path: string } {
    const { job, request } = find(owner, jobId);
    if (job.result === null) {
      throw new EditError('invalid-request', `Job ${jobId} has no result: it is ${job.state}.`);
    }
    const path = work.resultPath(jobId, request);
    requireWholeResult(path, job.result.sizeBytes, jobId);
    return { path, ...job.result };
  }

  for (const { jobId } of table.inState('running')) apply(jobId, { type: 'server-died' });
  await work.sweep(table.states());
  runner.wake();

  return {
    create,
    move,
    remove,
    result,
    list(owner, afterJobId = null, most = maxJobs) {
      const after = afterJobId === null ? null : find(owner, afterJobId);
      const records = table.ofOwner(owner, after, most);
      return records.map((one) => viewOf(running?.jobId === one.jobId ? running : one));
    },
    get: (owner, jobId) => viewOf(find(owner, jobId)),
    ownerOf: (jobId) => find(null, jobId).owner,
    hasKey: (owner, key) => table.byKey(owner, key) !== undefined,
    needsClip: (owner, clipId) => table.needsClip(owner, clipId),
    countByState: () => table.countByState(),
    estimate: (owner, spec, signal) => work.estimate(owner, spec, table.lastReport(spec.model), signal),
    cancel: (owner, jobId) => ask(owner, jobId, 'cancel'),
    pause: (owner, jobId) => ask(owner, jobId, 'pause'),
    resume: (owner, jobId) => ask(owner, jobId, 'resume'),
    subscribe: (owner, listener) => listen(listeners, owner, listener),
    subscribePlaces: (owner, listener) => listen(placeListeners, owner, listener),
    async close() {
      const jobId = runner.current();
      const closed = runner.close();
      try {
        if (jobId !== undefined) apply(jobId, { type: 'stop' });
      } catch (error) {
        // A full disk must not keep the server from ending: the next one finds the job running, and goes on with it.
        onFailure(jobId ?? null, error);
      }
      teller.flush();
      await closed;
      await Promise.all(removals);
    },
  };
}
