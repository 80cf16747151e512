// A Redis server for tests, which listens on a socket in a folder of its own. It keeps nothing, unless it is told to.

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
  /** Kills it, and starts it again on what it has on the disk. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** `isKept`: its data survive `restart`, in an append-only file that is on the disk before each answer. */
export async function startRedis({ isKept = false } = {}): Promise<TestRedis> {
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
    ...(isKept ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
  ];
  const start = () => spawn('redis-server', settings, { stdio: 'ignore' });
  let server = start();
  const connect = (): Redis => new Redis({ path, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  const first = connect();
  // The socket is not there at once: the connection tries again.
  first.on('error', () => undefined);
  await first.ping();
  first.disconnect();
  return {
    address: path,
    connect,
    async restart() {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      server = start();
    },
    async close() {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
