// The positions of jobs in the queue, counted from 0.

import type { QueuePosition } from '../../../protocol/job.ts';
import { createTurns } from '../../../protocol/turns.ts';
import type { QueuedJob } from './store.ts';

/** The position of a job of this priority among the others in the queue: behind all that are at least as urgent. */
export function positionFor(priority: number, others: readonly QueuedJob[]): number {
  const index = others.findIndex((other) => other.priority < priority);
  return index === -1 ? others.length : index;
}

/** The position before that job, or behind all others for null. */
export function positionBefore(jobId: string | null, others: readonly QueuedJob[]): number {
  const index = others.findIndex((other) => other.jobId === jobId);
  return index === -1 ? others.length : index;
}

export interface PositionWatch {
  /** The queue has changed. Owners of jobs with a new position are notified at the end of this turn of the event loop. */
  note(): void;
  /** Sends the pending notifications at once. Never rejects. */
  flush(): Promise<void>;
}

export interface PositionWatchOptions {
  /** The queue in its order. */
  readonly queue: () => Promise<readonly QueuedJob[]>;
  /** Called with the owner's jobs that have moved up or down, without those that have just entered or left the queue. */
  readonly tell: (owner: string, positions: readonly QueuePosition[]) => void;
  /** Called with the reason when the queue could not be read; the next notification then includes these changes. */
  readonly onFailure: (error: unknown) => void;
}

/** Notifies owners of their jobs that have moved in the queue: one list for each owner and turn of the event loop. */
export async function watchPositions({ queue, tell, onFailure }: PositionWatchOptions): Promise<PositionWatch> {
  let known = positionsOf(await queue());
  let next: NodeJS.Immediate | undefined;
  const turns = createTurns();

  async function tellMoved(): Promise<void> {
    const jobs = await queue();
    const before = known;
    known = positionsOf(jobs);
    const moved = new Map<string, QueuePosition[]>();
    for (const [position, { jobId, owner }] of jobs.entries()) {
      const last = before.get(jobId);
      if (last === undefined || last === position) continue;
      const own = moved.get(owner) ?? [];
      own.push({ jobId, position });
      moved.set(owner, own);
    }
    for (const [owner, positions] of moved) tell(owner, positions);
  }

  async function flush(): Promise<void> {
    if (next === undefined) return turns.over();
    clearImmediate(next);
    next = undefined;
    await turns.take(tellMoved).catch(onFailure);
  }

  return {
    flush,
    note() {
      next ??= setImmediate(() => void flush());
    },
  };
}

function positionsOf(queue: readonly QueuedJob[]): ReadonlyMap<string, number> {
  return new Map(queue.map(({ jobId }, index) => [jobId, index]));
}
