// Where jobs stand in the queue, counted from 0.

import type { JobPlace } from '../../../protocol/job.ts';
import type { Waiting } from './job-table.ts';

/** The place of a job of this priority among the others that wait: behind all that are at least as urgent. */
export function placeFor(priority: number, others: readonly Waiting[]): number {
  const index = others.findIndex((other) => other.priority < priority);
  return index === -1 ? others.length : index;
}

/** The place before that job, or behind all others for null. */
export function placeBefore(jobId: string | null, others: readonly Waiting[]): number {
  const index = others.findIndex((other) => other.jobId === jobId);
  return index === -1 ? others.length : index;
}

export interface PlaceTeller {
  /** The queue has changed. Those whose places have changed hear of it at the end of this turn of the event loop. */
  note(): void;
  /** Tells at once what there is to tell. */
  flush(): void;
}

/**
 * Tells owners of their jobs that have moved up or down: one list each, however much has changed in a turn. `tell` hears
 * nothing of a job that has just come to the queue or left it. `waiting` gives the queue in its order.
 */
export function createPlaceTeller(
  waiting: () => readonly Waiting[],
  tell: (owner: string, places: readonly JobPlace[]) => void,
): PlaceTeller {
  let told = placesOf(waiting());
  let next: NodeJS.Immediate | undefined;

  function flush(): void {
    if (next === undefined) return;
    clearImmediate(next);
    next = undefined;
    const queue = waiting();
    const before = told;
    told = placesOf(queue);
    const moved = new Map<string, JobPlace[]>();
    for (const [position, { jobId, owner }] of queue.entries()) {
      const known = before.get(jobId);
      if (known === undefined || known === position) continue;
      const own = moved.get(owner) ?? [];
      own.push({ jobId, position });
      moved.set(owner, own);
    }
    for (const [owner, places] of moved) tell(owner, places);
  }

  return {
    flush,
    note() {
      next ??= setImmediate(flush);
    },
  };
}

function placesOf(waiting: readonly Waiting[]): ReadonlyMap<string, number> {
  return new Map(waiting.map(({ jobId }, index) => [jobId, index]));
}
