// A JobStore that keeps nothing: jobs in a list, in the order of their making, and the queue as a list of ids.

import { changeJob, newJob, type JobChange } from '../../companion-server/src/jobs/job.ts';
import { positionBefore, positionFor } from '../../companion-server/src/jobs/queue-positions.ts';
import { refusals, type JobEvent, type JobRow, type JobStore } from '../../companion-server/src/jobs/store.ts';
import { inOneStep } from '../../companion-server/src/store/in-one-step.ts';
import { isOutcome, jobStates, type JobState } from '../../protocol/job.ts';
import { isNeeded } from './needed-clips.ts';

type Kept = Omit<JobRow, 'queuePosition'>;

/** What several stores, as those of processes one after the other, have in common. */
export interface JobMemory {
  readonly jobs: Map<string, Kept>;
  readonly queue: string[];
}

export const createJobMemory = (): JobMemory => ({ jobs: new Map(), queue: [] });

export function createMemoryJobStore({ jobs, queue }: JobMemory = createJobMemory()): JobStore {
  const listeners = new Set<(event: JobEvent) => void>();
  /** Jobs that were claimed from this store. */
  const claimed = new Set<string>();

  function rowOf(kept: Kept): JobRow {
    return { ...kept, queuePosition: kept.job.state === 'queued' ? queue.indexOf(kept.jobId) : null };
  }

  function get(jobId: string): JobRow | undefined {
    const kept = jobs.get(jobId);
    return kept === undefined ? undefined : rowOf(kept);
  }

  const queued = () => queue.flatMap((jobId) => jobs.get(jobId) ?? []).map(toQueued);
  const queuedBeside = (jobId: string) => queued().filter((other) => other.jobId !== jobId);
  const find = (isMeant: (kept: Kept) => boolean): Kept[] => [...jobs.values()].filter(isMeant);

  function leaveQueue(jobId: string): void {
    const index = queue.indexOf(jobId);
    if (index >= 0) queue.splice(index, 1);
  }

  function tell(row: JobRow, isQueueChanged: boolean): JobRow {
    for (const listener of [...listeners]) listener({ row, isQueueChanged });
    return row;
  }

  function requireQueued(jobId: string): JobRow {
    const row = get(jobId);
    if (row === undefined) throw refusals.missing(jobId);
    if (row.job.state !== 'queued') throw refusals.notQueued(jobId, row.job.state);
    return row;
  }

  function apply(jobId: string, change: JobChange): JobRow | undefined {
    const before = get(jobId);
    if (before === undefined) return undefined;
    const job = changeJob(before.job, change);
    if (job === before.job) return before;
    jobs.set(jobId, { ...before, job });
    if (before.job.state === 'queued' && job.state !== 'queued') leaveQueue(jobId);
    if (before.job.state !== 'queued' && job.state === 'queued') {
      queue.splice(change.type === 'resume' ? positionFor(before.request.priority, queued()) : 0, 0, jobId);
    }
    if (job.state !== 'running') claimed.delete(jobId);
    return tell(rowOf({ ...before, job }), job.state !== before.job.state);
  }

  return {
    add: inOneStep((made: Parameters<JobStore['add']>[0], limits: Parameters<JobStore['add']>[1]) => {
      const [known] = find(({ owner, request }) => owner === made.owner && request.key === made.request.key);
      if (known !== undefined) return rowOf(known);
      const own = find(({ owner }) => owner === made.owner);
      const found = { all: own.length, unfinished: own.filter(({ job }) => !isOutcome(job.state)).length };
      if (found.all >= limits.all || found.unfinished >= limits.unfinished) throw refusals.tooMany(limits, found);
      queue.splice(positionFor(made.request.priority, queued()), 0, made.jobId);
      const kept = { ...made, job: newJob };
      jobs.set(made.jobId, kept);
      return tell(rowOf(kept), true);
    }),
    get: inOneStep(get),
    getByKey: inOneStep((owner: string, key: string) => {
      const [known] = find((kept) => kept.owner === owner && kept.request.key === key);
      return known === undefined ? undefined : rowOf(known);
    }),
    list: inOneStep((owner: string, afterJobId: string | null, most: number) => {
      const all = [...jobs.values()];
      const first = afterJobId === null ? 0 : all.findIndex(({ jobId }) => jobId === afterJobId) + 1;
      return all
        .slice(first)
        .filter((kept) => kept.owner === owner)
        .slice(0, most)
        .map(rowOf);
    }),
    queue: inOneStep(queued),
    claimNext: inOneStep(() => {
      const [jobId] = queue;
      if (jobId === undefined) return undefined;
      claimed.add(jobId);
      return apply(jobId, { type: 'start' });
    }),
    change: inOneStep(apply),
    move: inOneStep((jobId: string, beforeJobId: string | null) => {
      const row = requireQueued(jobId);
      if (beforeJobId === jobId) return row;
      if (beforeJobId !== null) requireQueued(beforeJobId);
      const others = queuedBeside(jobId);
      const position = positionBefore(beforeJobId, others);
      const priority = (others[position] ?? others.at(-1))?.priority ?? row.request.priority;
      leaveQueue(jobId);
      queue.splice(position, 0, jobId);
      const moved = { ...row, request: { ...row.request, priority } };
      jobs.set(jobId, moved);
      return tell(rowOf(moved), true);
    }),
    remove: inOneStep((jobId: string) => {
      jobs.delete(jobId);
      leaveQueue(jobId);
    }),
    recover: inOneStep(() => {
      for (const { jobId, job } of [...jobs.values()]) {
        if (job.state === 'running' && !claimed.has(jobId)) apply(jobId, { type: 'server-died' });
      }
    }),
    needsClip: inOneStep((owner: string, clipId: string) =>
      find((kept) => kept.owner === owner && isNeeded(clipId, kept.request)).some(({ job }) => !isOutcome(job.state)),
    ),
    countByState: inOneStep(
      () =>
        Object.fromEntries(jobStates.map((state) => [state, find(({ job }) => job.state === state).length])) as Record<
          JobState,
          number
        >,
    ),
    lastReport: inOneStep(
      (model: string | null) =>
        find(({ request, job }) => request.model === model && job.state === 'done').at(-1)?.job.report ?? null,
    ),
    states: inOneStep(() => new Map([...jobs.values()].map(({ jobId, job }) => [jobId, job.state]))),
    subscribe(listener) {
      const own = (event: JobEvent): void => listener(event);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}

const toQueued = ({ jobId, owner, request: { priority } }: Kept) => ({ jobId, owner, priority });
