// A Redis server for tests, which listens on a socket in a folder of its own and keeps nothing.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export const hasRedisServer = spawnSync('redis-server', ['--version']).status === 0;

export interface TestRedis {
  /** The path of its socket. */
  readonly address: string;
  /** A new connection. */
  connect(): Redis;
  close(): Promise<void>;
}

export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-redis-'));
  const path = join(folder, 'socket');
  const settings = [
    '--port',
    '0',
    '--unixsocket',
    path,
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
    '--dir',
    folder,
  ];
  const server = spawn('redis-server', settings, { stdio: 'ignore' });
  const connect = (): Redis => new Redis({ path, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  const first = connect();
  // The socket is not there at once: the connection tries again.
  first.on('error', () => undefined);
  await first.ping();
  first.disconnect();
  return {
    address: path,
    connect,
    async close() {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
