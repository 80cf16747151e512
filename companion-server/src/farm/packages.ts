// The packages for a queue that several machines share. They are optional: a single machine does not need them.

import type * as BullMq from 'bullmq';
import type { Redis } from 'ioredis';
import { EditError } from '../errors.ts';

export interface QueuePackages {
  readonly bullmq: typeof BullMq;
  readonly ioredis: { readonly Redis: typeof Redis };
}

/** `load`: default: imports them. Throws EditError 'invalid-request' when one of them is not installed. */
export async function loadQueuePackages(load: () => Promise<QueuePackages> = importThem): Promise<QueuePackages> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new EditError('invalid-request', 'TOKENFLOW_QUEUE is set, but the packages bullmq and ioredis are missing.', {
      hint: 'Install them beside the server: npm install --no-save bullmq ioredis.',
      cause: error,
    });
  }
}

async function importThem(): Promise<QueuePackages> {
  const [bullmq, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
  return { bullmq, ioredis };
}
