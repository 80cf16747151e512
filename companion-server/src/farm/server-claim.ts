// One server has the clients, clips and pairings of a farm; all others are workers. A second one would take the clips of the
// first for strangers, so it is refused.

import type { Redis } from 'ioredis';
import { EditError } from '../errors.ts';

export interface ServerClaimOptions {
  readonly redis: Redis;
  /** What the key begins with, without `:` at the end. */
  readonly prefix: string;
  /** Which data folder the server works on: the next server on the same one takes the claim over. */
  readonly instanceId: string;
  /** For how long it holds when the server says nothing more. */
  readonly claimMs: number;
  readonly onFailure: (error: unknown) => void;
}

export interface ServerClaim {
  /** Gives it up. */
  release(): Promise<void>;
}

/** Sets the key if it is free or ours, and says whose it is. Arguments: key, ours, milliseconds. */
const claimScript = `
local holder = redis.call('GET', ARGV[1])
if holder and holder ~= ARGV[2] then return holder end
redis.call('SET', ARGV[1], ARGV[2], 'PX', ARGV[3])
return ARGV[2]
`;

const releaseScript = `
if redis.call('GET', ARGV[1]) == ARGV[2] then return redis.call('DEL', ARGV[1]) end
return 0
`;

/** Throws EditError 'invalid-request' when another server has the farm. */
export async function claimServer(options: ServerClaimOptions): Promise<ServerClaim> {
  const { redis, prefix, instanceId, claimMs, onFailure } = options;
  const key = `${prefix}:server`;
  const claim = async (): Promise<void> => {
    if ((await redis.eval(claimScript, 0, key, instanceId, claimMs)) === instanceId) return;
    throw new EditError('invalid-request', 'Another server has the queue that TOKENFLOW_QUEUE names.', {
      hint: `A queue has one server and any number of workers. Stop the other server; if it has died, wait ${Math.ceil(claimMs / 1000)} seconds.`,
    });
  };
  await claim();
  const renewal = setInterval(() => void claim().catch(onFailure), claimMs / 3);
  return {
    async release() {
      clearInterval(renewal);
      await redis.eval(releaseScript, 0, key, instanceId);
    },
  };
}
