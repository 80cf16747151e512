// A client whose connection is cut in the middle of its work, and who gets its work done all the same.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { editOverSocket } from '../../companion-server/src/client/edit-over-socket.ts';
import { createRandom } from '../../companion-server/src/tensor/random.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { startCuttingProxy } from '../faults/cutting-proxy.ts';
import { connectTo, startTestServer } from './test-server.ts';
import { createWorkspace } from './workspace.ts';

const cuts = 5;
const patienceMs = 30_000;

test('an edit whose connection is cut at upload, queue, work and download brings its result, and makes one job', async () => {
  const workspace = await createWorkspace();
  const server = await startTestServer(workspace, 'chatty');
  const random = createRandom(7);
  // The first connection lives to say hello; the welcome of the others is enough to go on.
  const nextCut = (): number => 1_500 + Math.floor(random.uniform() * 6_000);
  const port = Number(new URL(server.url).port);
  const proxy = await startCuttingProxy(port, 'to client', cuts, nextCut);
  const steady = await connectTo({ url: proxy.url, token: server.token }, patienceMs);
  const outPath = join(workspace.folder, 'out.mov');
  const jobIds = new Set<string>();
  const watcher = await connectTo(server);
  watcher.onJobs({ onJob: ({ jobId }) => jobIds.add(jobId), onProgress: () => undefined });
  const edited = await editOverSocket(steady, {
    clipPath: workspace.clipPath,
    outPath,
    settings: { ...defaultSettings(), prompt: 'a wolf' },
    model: null,
    device: 'cpu',
    onProgress: () => undefined,
  });
  expect(proxy.cuts()).toBe(cuts);
  expect(edited.report.frames).toBe(40);
  expect(await readFile(outPath)).toEqual(workspace.clipBytes);
  // One connection of a client hears of what another one began.
  expect(jobIds.size).toBe(1);
});

test('a client that waits for no server says so when the server has gone', async () => {
  const workspace = await createWorkspace();
  const server = await startTestServer(workspace);
  const steady = await connectTo(server);
  await server.close();
  await expect(steady.request({ type: 'job-list', afterJobId: null })).rejects.toMatchObject({
    code: 'connection-lost',
  });
});
