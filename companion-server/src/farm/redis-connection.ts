// Connections to the Redis server of a farm.

import type { Redis } from 'ioredis';
import { EditError } from '../errors.ts';
import { loadQueuePackages, type QueuePackages } from './packages.ts';

export interface QueueServer {
  readonly packages: QueuePackages;
  /** Makes a connection, which is made again when it breaks. */
  readonly connect: () => Redis;
}

const answerMs = 5_000;

/**
 * Loads the packages and sees that the server answers. `address`: a URL or the path of a socket. Throws EditError
 * 'invalid-request' when a package is not installed, 'connection-lost' when the server does not answer.
 */
export async function reachQueueServer(address: string): Promise<QueueServer> {
  const packages = await loadQueuePackages();
  const { Redis } = packages.ioredis;
  const probe = new Redis(address, {
    lazyConnect: true,
    connectTimeout: answerMs,
    commandTimeout: answerMs,
    retryStrategy: () => null,
  });
  // The rejected command has the reason.
  probe.on('error', () => undefined);
  try {
    await probe.connect();
    await probe.ping();
  } catch (error) {
    throw new EditError(
      'connection-lost',
      `The Redis server at ${withoutPassword(address)} does not answer: ${reasonOf(error)}.`,
      { hint: 'Start it, or correct TOKENFLOW_QUEUE.', cause: error },
    );
  } finally {
    probe.disconnect();
  }
  return { packages, connect: () => new Redis(address, { maxRetriesPerRequest: null }) };
}

function withoutPassword(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
