// A server whose disk has no byte left: who is paired gets in, and what frees space works.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ServerMessage } from '../../protocol/messages/server-messages.ts';
import type { Client } from '../../protocol/client/client.ts';
import { startCli } from '../e2e/cli-process.ts';
import { createJob, outcomeOf, progressOf, uploadTo } from '../e2e/test-jobs.ts';
import { connectRaw, connectTo, greet, startTestServer } from '../e2e/test-server.ts';
import { createWorkspace, type Workspace } from '../e2e/workspace.ts';
import { canMountDisk, fillDisk, mountSmallDisk } from './small-disk.ts';

const leastFreeBytes = 2 * 1024 * 1024;

async function createOnSmallDisk(): Promise<Workspace & { readonly disk: string }> {
  const disk = mountSmallDisk(32);
  return { ...(await createWorkspace()), disk, dataDir: join(disk, 'data') };
}

const start = (workspace: Workspace, engine: string) => startTestServer(workspace, engine, { leastFreeBytes });

/** The next event of this type. */
async function eventOf(steady: Client, type: ServerMessage['type']): Promise<ServerMessage> {
  const connection = await steady.online();
  return new Promise((resolve) => {
    const stop = connection.onEvent((event) => {
      if (event.type !== type) return;
      stop();
      resolve(event);
    });
  });
}

const statesOf = async (steady: Client): Promise<readonly string[]> =>
  (await steady.request({ type: 'job-list', afterJobId: null })).jobs.map(({ state }) => state);

// Skipped where the test may mount no disk: it needs Linux and root.
describe.skipIf(!canMountDisk)('on a disk with 0 bytes', () => {
  test('clients get in, read, pause, cancel and delete', async () => {
    const workspace = await createOnSmallDisk();
    const server = await start(workspace, 'stopping');
    const before = await connectTo(server);
    const clipId = await uploadTo(before, workspace);
    const [running, second, third] = [
      await createJob(before, clipId),
      await createJob(before, clipId),
      await createJob(before, clipId),
    ];
    await progressOf(before, running);
    fillDisk(workspace.disk);
    const after = await connectTo(server);
    expect(await statesOf(after)).toEqual(['running', 'queued', 'queued']);
    await after.request({ type: 'clip-get', clipId });
    fillDisk(workspace.disk);
    await after.request({ type: 'job-cancel', jobId: third });
    fillDisk(workspace.disk);
    await after.request({ type: 'job-pause', jobId: second });
    fillDisk(workspace.disk);
    await after.request({ type: 'job-pause', jobId: running });
    expect(await statesOf(after)).toEqual(['paused', 'paused', 'canceled']);
    for (const jobId of [running, second, third]) {
      fillDisk(workspace.disk);
      await after.request({ type: 'job-delete', jobId });
    }
    fillDisk(workspace.disk);
    await after.request({ type: 'clip-delete', clipId });
    expect(await readdir(join(workspace.dataDir, 'clips'))).toEqual([]);
    expect(await readdir(join(workspace.dataDir, 'jobs'))).toEqual([]);
  });

  test('a server starts, tells what is missing, and lets the command line delete', async () => {
    const workspace = await createOnSmallDisk();
    const first = await start(workspace, 'stopping');
    const before = await connectTo(first);
    const clipId = await uploadTo(before, workspace);
    const jobId = await createJob(before, clipId);
    await progressOf(before, jobId);
    await first.close();
    fillDisk(workspace.disk);
    const second = await start(workspace, 'stopping');
    const post = { method: 'POST', body: '{}' };
    const headers = {
      authorization: `Bearer ${second.token}`,
      'content-type': 'application/json',
    };
    fillDisk(workspace.disk);
    const after = await connectRaw(second);
    expect(await greet(after, second)).toMatchObject({ type: 'welcome' });
    expect(await after.hear()).toMatchObject({
      type: 'disk-changed',
      shortages: [{ folder: 'data' }],
    });
    fillDisk(workspace.disk);
    const response = await fetch(`${second.url}/jobs/${jobId}/delete`, { ...post, headers });
    expect([response.status, await response.json()]).toEqual([200, { jobs: [] }]);
  });

  test('the server of the command line starts, is found and steered, although its cache is there too', async () => {
    const disk = mountSmallDisk(32);
    const dirs = { dataDir: join(disk, 'data'), cacheDir: join(disk, 'cache') };
    const workspace = { ...(await createWorkspace()), ...dirs };
    const serve = ['serve', '--port', '0', '--model', 'model'];
    const killed = startCli(workspace, serve);
    await killed.said('Pairing code');
    killed.kill('SIGKILL');
    await killed.ended;
    fillDisk(disk);
    const next = startCli(workspace, serve);
    await next.said('Pairing code');
    const { exitCode, stdout } = await startCli(workspace, ['jobs']).ended;
    expect([exitCode, stdout]).toEqual([0, 'There are no jobs.\n']);
    next.kill('SIGTERM');
    expect((await next.ended).exitCode).toBe(0);
  });

  test('a job that finds no room is paused, says so, names the setting, and goes on when there is room', async () => {
    const workspace = await createOnSmallDisk();
    const steady = await connectTo(await start(workspace, 'writing'));
    const clipId = await uploadTo(steady, workspace);
    const jobId = await createJob(steady, clipId);
    await progressOf(steady, jobId);
    const telling = eventOf(steady, 'disk-changed');
    fillDisk(workspace.disk);
    const { state, error } = await outcomeOf(steady, jobId);
    expect([state, error?.code]).toEqual(['paused', 'disk-full']);
    expect(error?.hint).toContain('TOKENFLOW_DATA');
    expect(error?.message).toContain('the data folder');
    expect(`${error?.message} ${error?.hint}`).not.toContain(workspace.dataDir);
    expect(await telling).toMatchObject({ shortages: [{ folder: 'data' }] });
    const tellingAgain = eventOf(steady, 'disk-changed');
    await rm(join(workspace.disk, 'ballast'));
    expect(await tellingAgain).toEqual({ type: 'disk-changed', shortages: [] });
    await steady.request({ type: 'job-resume', jobId });
    expect(await outcomeOf(steady, jobId)).toMatchObject({ state: 'done', resumes: 1 });
  });
});
