// A JobQueue of its own making: it knows of the program only the ports and the pure changes of a job. Its jobs live as long
// as the object that opens it.

import { randomBytes } from 'node:crypto';
import { CanceledError, EditError } from '../../companion-server/src/errors.ts';
import type { JobExecutor } from '../../companion-server/src/jobs/executor.ts';
import { changeJob, newJob, type Job, type JobChange } from '../../companion-server/src/jobs/job.ts';
import type { JobListener, JobQueue, JobQueueOptions } from '../../companion-server/src/jobs/queue.ts';
import { refusals, type NewJob } from '../../companion-server/src/jobs/store.ts';
import { toJobView } from '../../companion-server/src/jobs/view.ts';
import { toClientError, toWireError } from '../../companion-server/src/wire-error.ts';
import { isOutcome, jobStates, type JobState, type JobView } from '../../protocol/job.ts';
import { maxJobs, maxWaitingJobs } from '../../protocol/limits.ts';
import { isNeeded } from './needed-clips.ts';

interface Kept extends NewJob {
  job: Job;
  /** Higher runs earlier; a move changes it. */
  priority: number;
}

/** Opens queues on the same jobs, one after the other, as servers would that follow each other. */
export function createMemoryQueue(): { open(options: JobQueueOptions): Promise<JobQueue> } {
  const jobs: Kept[] = [];
  /** The queued ones in their order. */
  const order: Kept[] = [];
  return {
    open: async ({ executor, onFailure = () => undefined }) => {
      const queue = new MemoryQueue(jobs, order, executor, onFailure);
      await queue.begin();
      return queue;
    },
  };
}

class MemoryQueue implements JobQueue {
  private readonly jobs: Kept[];
  private readonly order: Kept[];
  private readonly executor: JobExecutor;
  private readonly onFailure: (jobId: string | null, error: unknown) => void;
  private readonly listeners: { readonly owner: string; readonly listener: JobListener }[] = [];
  private running: { readonly kept: Kept; readonly canceler: AbortController; readonly ended: Promise<void> } | null =
    null;
  private known = new Map<string, number>();
  private telling: NodeJS.Immediate | undefined;
  private starting: NodeJS.Immediate | undefined;
  private isClosed = false;

  constructor(
    jobs: Kept[],
    order: Kept[],
    executor: JobExecutor,
    onFailure: (jobId: string | null, error: unknown) => void,
  ) {
    this.jobs = jobs;
    this.order = order;
    this.executor = executor;
    this.onFailure = onFailure;
  }

  async begin(): Promise<void> {
    for (const kept of this.jobs) if (kept.job.state === 'running') this.change(kept, { type: 'server-died' });
    this.known = this.positions();
    await this.executor.sweep(new Map(this.jobs.map(({ jobId, job }) => [jobId, job.state])));
    this.wake();
  }

  async add(owner: string, request: NewJob['request']): Promise<JobView> {
    await Promise.resolve();
    const own = this.jobs.filter((kept) => kept.owner === owner);
    const known = own.find((kept) => kept.request.key === request.key);
    if (known !== undefined) return this.viewOf(known);
    const limits = { all: maxJobs, unfinished: maxWaitingJobs };
    const found = { all: own.length, unfinished: own.filter(({ job }) => !isOutcome(job.state)).length };
    if (found.all >= limits.all || found.unfinished >= limits.unfinished) throw refusals.tooMany(limits, found);
    const jobId = randomBytes(16).toString('hex');
    const createdAt = new Date().toISOString();
    const kept = { jobId, owner, createdAt, request, job: newJob, priority: request.priority };
    this.jobs.push(kept);
    this.enqueue(kept);
    this.tell(kept, true);
    this.wake();
    return this.viewOf(kept);
  }

  async list(owner: string, afterJobId: string | null = null, most = maxJobs): Promise<readonly JobView[]> {
    const after = afterJobId === null ? -1 : this.jobs.indexOf(await this.find(owner, afterJobId));
    return this.jobs
      .slice(after + 1)
      .filter((kept) => kept.owner === owner)
      .slice(0, most)
      .map((kept) => this.viewOf(kept));
  }

  async get(owner: string, jobId: string): Promise<JobView> {
    return this.viewOf(await this.find(owner, jobId));
  }

  ownerOf(jobId: string): Promise<string> {
    const kept = this.jobs.find((one) => one.jobId === jobId);
    return kept === undefined ? Promise.reject(refusals.missing(jobId)) : Promise.resolve(kept.owner);
  }

  hasKey(owner: string, key: string): Promise<boolean> {
    return Promise.resolve(this.jobs.some((kept) => kept.owner === owner && kept.request.key === key));
  }

  needsClip(owner: string, clipId: string): Promise<boolean> {
    const isNeeding = ({ job, request, ...kept }: Kept): boolean =>
      kept.owner === owner && isNeeded(clipId, request) && !isOutcome(job.state);
    return Promise.resolve(this.jobs.some(isNeeding));
  }

  countByState(): Promise<Record<JobState, number>> {
    const countOf = (state: JobState): number => this.jobs.filter(({ job }) => job.state === state).length;
    const counts = Object.fromEntries(jobStates.map((state) => [state, countOf(state)]));
    return Promise.resolve(counts as Record<JobState, number>);
  }

  lastReport(model: string | null) {
    const done = this.jobs.filter(({ request, job }) => request.model === model && job.state === 'done');
    return Promise.resolve(done.at(-1)?.job.report ?? null);
  }

  async cancel(owner: string, jobId: string): Promise<JobView> {
    const kept = await this.find(owner, jobId);
    this.change(kept, { type: 'cancel' });
    if (kept.job.state === 'canceled' && this.running?.kept !== kept) await this.discard(jobId);
    return this.viewOf(kept);
  }

  async pause(owner: string, jobId: string): Promise<JobView> {
    const kept = await this.find(owner, jobId);
    this.change(kept, { type: 'pause' });
    return this.viewOf(kept);
  }

  async resume(owner: string, jobId: string): Promise<JobView> {
    const kept = await this.find(owner, jobId);
    this.change(kept, { type: 'resume' });
    this.wake();
    return this.viewOf(kept);
  }

  async move(owner: string, jobId: string, beforeJobId: string | null): Promise<JobView> {
    const kept = await this.find(owner, jobId);
    const before = beforeJobId === null ? null : await this.find(owner, beforeJobId);
    for (const { jobId: id, job } of [kept, before ?? kept]) {
      if (job.state !== 'queued') throw refusals.notQueued(id, job.state);
    }
    if (before === kept) return this.viewOf(kept);
    this.dequeue(kept);
    const position = before === null ? this.order.length : this.order.indexOf(before);
    kept.priority = (this.order[position] ?? this.order.at(-1))?.priority ?? kept.priority;
    this.order.splice(position, 0, kept);
    this.tell(kept, true);
    return this.viewOf(kept);
  }

  async remove(owner: string, jobId: string): Promise<void> {
    const kept = await this.find(owner, jobId);
    this.change(kept, { type: 'cancel' });
    if (this.running?.kept === kept) await this.running.ended;
    await this.discard(jobId);
    this.jobs.splice(this.jobs.indexOf(kept), 1);
  }

  subscribe(owner: string, listener: JobListener): () => void {
    const entry = { owner, listener };
    this.listeners.push(entry);
    return () => void this.listeners.splice(this.listeners.indexOf(entry), 1);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearImmediate(this.starting);
    const { running } = this;
    if (running !== null) this.change(running.kept, { type: 'stop' });
    running?.canceler.abort();
    this.tellMoved();
    await running?.ended;
  }

  private find(owner: string, jobId: string): Promise<Kept> {
    const kept = this.jobs.find((one) => one.jobId === jobId && one.owner === owner);
    return kept === undefined ? Promise.reject(refusals.missing(jobId)) : Promise.resolve(kept);
  }

  private viewOf(kept: Kept): JobView {
    const queuePosition = kept.job.state === 'queued' ? this.order.indexOf(kept) : null;
    return toJobView({ ...kept, request: { ...kept.request, priority: kept.priority }, queuePosition });
  }

  private change(kept: Kept, change: JobChange): void {
    const before = kept.job;
    kept.job = changeJob(before, change);
    if (kept.job === before) return;
    const isMoved = kept.job.state !== before.state;
    if (isMoved && before.state === 'queued') this.dequeue(kept);
    if (isMoved && kept.job.state === 'queued') {
      if (change.type === 'resume') this.enqueue(kept);
      else this.order.unshift(kept);
    }
    if (kept.job.state !== 'running' && this.running?.kept === kept) this.running.canceler.abort();
    this.tell(kept, isMoved);
  }

  private enqueue(kept: Kept): void {
    const behind = this.order.findIndex(({ priority }) => priority < kept.priority);
    this.order.splice(behind === -1 ? this.order.length : behind, 0, kept);
  }

  private dequeue(kept: Kept): void {
    const index = this.order.indexOf(kept);
    if (index >= 0) this.order.splice(index, 1);
  }

  private positions(): Map<string, number> {
    return new Map(this.order.map(({ jobId }, index) => [jobId, index]));
  }

  private tell(kept: Kept, isMoved: boolean): void {
    for (const { owner, listener } of [...this.listeners]) {
      if (owner === kept.owner) listener.onJob(this.viewOf(kept));
    }
    if (isMoved) this.telling ??= setImmediate(() => this.tellMoved());
  }

  private tellMoved(): void {
    clearImmediate(this.telling);
    this.telling = undefined;
    const before = this.known;
    this.known = this.positions();
    for (const { owner, listener } of [...this.listeners]) {
      const moved = this.order.flatMap((kept, position) => {
        const last = before.get(kept.jobId);
        return kept.owner !== owner || last === undefined || last === position ? [] : [{ jobId: kept.jobId, position }];
      });
      if (moved.length > 0) listener.onPositions(moved);
    }
  }

  private async discard(jobId: string): Promise<void> {
    await this.executor.discard(jobId).catch((error: unknown) => this.onFailure(jobId, error));
  }

  private wake(): void {
    if (this.isClosed || this.running !== null) return;
    this.starting ??= setImmediate(() => {
      this.starting = undefined;
      const [first] = this.order;
      if (first === undefined || this.isClosed || this.running !== null) return;
      const canceler = new AbortController();
      const ended = Promise.resolve()
        .then(() => this.run(first, canceler.signal))
        .catch((error: unknown) => this.onFailure(first.jobId, error))
        .finally(() => {
          this.running = null;
          this.wake();
        });
      this.running = { kept: first, canceler, ended };
      this.change(first, { type: 'start' });
    });
  }

  private async run(kept: Kept, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await this.work(kept, signal);
    const { state } = kept.job;
    if (state === 'done') await this.executor.tidy(kept.jobId);
    else if (isOutcome(state)) await this.executor.discard(kept.jobId);
  }

  private async work(kept: Kept, signal: AbortSignal): Promise<void> {
    try {
      const outcome = await this.executor.run(kept, {
        signal,
        onProgress: (progress) => this.change(kept, { type: 'progress', progress }),
        onPicture: (picture) => {
          for (const { owner, listener } of [...this.listeners]) {
            if (owner === kept.owner) listener.onPicture?.(kept.jobId, picture);
          }
        },
        onStep: () => this.change(kept, { type: 'step' }),
      });
      this.change(kept, { type: 'finish', ...outcome });
    } catch (error) {
      if (signal.aborted) return;
      this.onFailure(kept.jobId, error);
      const { code } = toWireError(error);
      if (code === 'limit-reached') return this.work(kept, signal);
      if (error instanceof CanceledError) {
        this.change(kept, { type: 'cancel' });
        return;
      }
      const isCrash = error instanceof EditError && code === 'engine-crashed';
      this.change(kept, { type: isCrash ? 'engine-died' : 'fail', error: toClientError(error) });
    }
  }
}
