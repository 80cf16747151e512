// Where jobs stand in the queue, counted from 0.

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

/** Places by job. `waiting` is in the queue's order. */
export function placesOf(waiting: readonly Waiting[]): ReadonlyMap<string, number> {
  return new Map(waiting.map(({ jobId }, index) => [jobId, index]));
}
