// What a server or a worker needs of the machines that it shares its jobs with: their queue, and who they are.

import type { JobExecutor } from '../jobs/executor.ts';
import type { JobQueue, OpenJobQueue } from '../jobs/queue.ts';
import { openBullQueue } from './bull-queue.ts';
import { joinMembers, listMembers, type FarmMember } from './members.ts';
import { reachQueueServer } from './redis-connection.ts';
import { claimServer } from './server-claim.ts';

export interface FarmOptions {
  /** Address of the Redis server: a URL, or the path of a socket. */
  readonly address: string;
  /** What all keys begin with. Default: `tokenflow`. */
  readonly prefix?: string;
  /** After so long without a sign of a process, another one goes on with its job. Default: 30 seconds. */
  readonly lockMs?: number;
  /** Whether this process does jobs. */
  readonly doesJobs: boolean;
  /** As the program says it. */
  readonly version: string;
  /** For the server of the farm: which data folder it works on. Null for a worker. */
  readonly instanceId: string | null;
  /** Called at every failure of the connections. */
  readonly onFailure: (error: unknown) => void;
}

export interface Farm {
  /** Who does jobs, by name. */
  members(): Promise<readonly FarmMember[]>;
  readonly openQueue: OpenJobQueue;
  /** The name of this process among the members; null where it does no jobs. */
  readonly name: string | null;
  /** Call it after the queue is closed. */
  close(): Promise<void>;
}

/**
 * Joins the farm. Throws EditError 'invalid-request' when a package is missing or another server has the farm,
 * 'connection-lost' when Redis does not answer.
 */
export async function joinFarm(options: FarmOptions): Promise<Farm> {
  const { address, prefix = 'tokenflow', lockMs = 30_000, doesJobs, version, instanceId, onFailure } = options;
  const { packages, connect } = await reachQueueServer(address);
  const redis = connect();
  redis.on('error', onFailure);
  const shared = { redis, prefix, onFailure } as const;
  try {
    const claim = instanceId === null ? null : await claimServer({ ...shared, instanceId, claimMs: lockMs });
    const membership = doesJobs ? await joinMembers({ ...shared, version, goneMs: lockMs }) : null;
    return {
      name: membership?.name ?? null,
      members: () => listMembers(redis, prefix),
      openQueue: (queue): Promise<JobQueue> =>
        openBullQueue({
          ...queue,
          executor: noting(queue.executor, (jobId) => membership?.note(jobId)),
          doesJobs,
          packages,
          connect,
          prefix,
          lockMs,
        }),
      async close() {
        try {
          await membership?.leave();
          await claim?.release();
        } finally {
          redis.disconnect();
        }
      },
    };
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

/** The executor, which tells of each job that it begins and ends. */
function noting(executor: JobExecutor, note: (jobId: string | null) => void): JobExecutor {
  return {
    ...executor,
    async run(job, hooks) {
      note(job.jobId);
      try {
        return await executor.run(job, hooks);
      } finally {
        note(null);
      }
    },
  };
}
