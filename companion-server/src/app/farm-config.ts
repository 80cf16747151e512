// Whether this process shares jobs and files with other machines (docs/farm.md).

import { readStoreAddress, type StoreAddress } from '../artifacts/store-address.ts';
import { EditError } from '../errors.ts';

export interface FarmConfig {
  /** Address of the Redis server: `redis://`, `rediss://`, or the path of a socket on this machine. */
  readonly queue: string;
  readonly store: StoreAddress;
  /** Whether this process does jobs itself. */
  readonly doesJobs: boolean;
}

const queueVariable = 'TOKENFLOW_QUEUE';
/** As of a process. */
type Environment = Readonly<Record<string, string | undefined>>;

const storeVariable = 'TOKENFLOW_STORE';

/**
 * Reads TOKENFLOW_QUEUE and TOKENFLOW_STORE; null where neither is set. `doesJobs`: as in FarmConfig. Throws EditError
 * 'invalid-request' for a bad value, and where only one of both is set.
 */
export function readFarm(env: Environment, doesJobs = true): FarmConfig | null {
  const queue = env[queueVariable] ?? '';
  const store = readStoreAddress(env[storeVariable]);
  if (queue === '' && store === null) {
    if (doesJobs) return null;
    throw new EditError('invalid-request', `Nobody would do the jobs: ${queueVariable} is not set.`, {
      hint: 'Without it, the server does its jobs itself.',
    });
  }
  if (store === null) {
    throw new EditError('invalid-request', `${queueVariable} needs ${storeVariable}.`, {
      hint: 'A worker on another machine gets its clips from there, and leaves its results there.',
    });
  }
  if (queue === '') {
    throw new EditError('invalid-request', `${storeVariable} needs ${queueVariable}.`, {
      hint: 'A single server keeps its files in the data folder, which TOKENFLOW_DATA moves.',
    });
  }
  return { queue: readQueueAddress(queue), store, doesJobs };
}

function readQueueAddress(value: string): string {
  const rule = `${queueVariable} must be redis://HOST, rediss://HOST or unix:/PATH`;
  if (value.startsWith('unix:/')) return value.slice('unix:'.length);
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    // The value may hold a password.
    throw new EditError('invalid-request', `${rule}; it is no address.`);
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new EditError('invalid-request', `${rule}, got '${url.protocol}'.`);
  }
  if (url.hostname === '') throw new EditError('invalid-request', `${rule}; it names no host.`);
  return value;
}
