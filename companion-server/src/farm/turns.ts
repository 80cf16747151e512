// Who may do a job. BullMQ keeps one turn for each queued job, and hands a turn to one process at a time under a lock. The
// lock is renewed while the job is done; where it is not, BullMQ returns the turn, and another process takes it. Which job
// a turn does is decided when it is taken: the order of jobs is that of the rows, because the free BullMQ has no order by
// hand and no fairness between clients.

import type { Job, Queue, Worker } from 'bullmq';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { QueuePackages } from './packages.ts';

export interface TurnsOptions {
  readonly packages: Pick<QueuePackages, 'bullmq'>;
  readonly redis: Redis;
  /** What the keys of BullMQ begin with, without `:` at the end. */
  readonly prefix: string;
  /** How long a turn is kept whose process says nothing. */
  readonly lockMs: number;
  /** The process that had the turn has said nothing for `lockMs`; the turn waits again. */
  readonly onStalled: (turnId: string) => void;
  /** The lock of this process has ended: another one has the turn, or will. */
  readonly onLost: (turnId: string) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface JobTurns {
  /** Makes a turn for a job that has been queued. */
  add(): Promise<void>;
  /** Takes a turn; undefined where none waits. The lock is renewed until `end`. */
  take(): Promise<string | undefined>;
  /** Ends a turn that this process has. Does nothing for another one. */
  end(turnId: string): Promise<void>;
  waiting(): Promise<number>;
  close(): Promise<void>;
}

const queueName = 'turns';

interface HeldTurn {
  readonly job: Job;
  readonly renewal: NodeJS.Timeout;
}

export async function openTurns(options: TurnsOptions): Promise<JobTurns> {
  const { packages, redis, prefix, lockMs, onStalled, onLost, onFailure } = options;
  const token = randomUUID();
  const held = new Map<string, HeldTurn>();
  const shared = { connection: redis, prefix } as const;
  const queue: Queue = new packages.bullmq.Queue(queueName, {
    ...shared,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  const worker: Worker = new packages.bullmq.Worker(queueName, null, {
    ...shared,
    autorun: false,
    lockDuration: lockMs,
    // BullMQ returns a turn at the second look that finds no lock.
    stalledInterval: lockMs / 3,
    // How often a job may lose its process is counted with the job.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
  });
  queue.on('error', onFailure);
  worker.on('error', onFailure);
  worker.on('stalled', onStalled);
  await worker.startStalledCheckTimer();

  function hold(turnId: string, job: Job): void {
    let isAsking = false;
    const renew = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      try {
        if ((await job.extendLock(token, lockMs)) === 1 || drop(turnId) === undefined) return;
        onLost(turnId);
      } catch (error) {
        // Without an answer the lock may still be ours: the next time says.
        onFailure(error);
      } finally {
        isAsking = false;
      }
    };
    held.set(turnId, { job, renewal: setInterval(() => void renew(), lockMs / 3) });
  }

  function drop(turnId: string): Job | undefined {
    const turn = held.get(turnId);
    clearInterval(turn?.renewal);
    held.delete(turnId);
    return turn?.job;
  }

  return {
    async add() {
      await queue.add('turn', {});
    },
    async take() {
      // The declared type does not know that there may be none.
      const job = (await worker.getNextJob(token, { block: false })) as Job | undefined;
      if (job?.id === undefined) return undefined;
      hold(job.id, job);
      return job.id;
    },
    async end(turnId) {
      await drop(turnId)?.moveToCompleted(null, token, false);
    },
    waiting: () => queue.getWaitingCount(),
    async close() {
      for (const turnId of [...held.keys()]) drop(turnId);
      await worker.close(true);
      await queue.close();
    },
  };
}
