import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { loadQueuePackages } from './packages.ts';
import { reachQueueServer } from './redis-connection.ts';

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a Redis server that is not there is named at once, without its password', async () => {
  const port = await freePort();
  const reached = reachQueueServer(`redis://:secret@127.0.0.1:${port}`);
  await expect(reached).rejects.toMatchObject({
    code: 'connection-lost',
    message: expect.stringMatching(new RegExp(`^The Redis server at 127.0.0.1:${port} does not answer: .`)) as string,
  });
  await expect(reached).rejects.not.toThrow('secret');
});

test('a package that is not installed is named, with the command that installs it', async () => {
  const missing = Object.assign(new Error("Cannot find package 'bullmq'"), { code: 'ERR_MODULE_NOT_FOUND' });
  await expect(loadQueuePackages(() => Promise.reject(missing))).rejects.toMatchObject({
    code: 'invalid-request',
    message: 'TOKENFLOW_QUEUE is set, but the packages bullmq and ioredis are missing.',
    hint: expect.stringContaining('npm install --no-save bullmq ioredis') as string,
  });
});
