// The client as a command has it: it looks for a lost server for a while, and then gives up.

import { describe, expect, test } from 'vitest';
import { defaultSettings } from '../edit-settings.ts';
import { createScene } from './testing/fake-client.ts';
import { commandTiming } from './timing.ts';
import { watchJob } from './watch-job.ts';

const patienceMs = 60_000;
const wish = {
  clipId: 'c'.repeat(32),
  settings: { ...defaultSettings(), prompt: 'a wolf' },
  model: null,
  device: 'auto',
  key: 'key-of-the-job',
  priority: 0,
} as const;

function open(patience = patienceMs, options: Parameters<typeof createScene>[0] = {}) {
  const scene = createScene({ timing: commandTiming(patience), ...options });
  scene.client.start();
  return scene;
}

describe('the client of a command', () => {
  test('makes one attempt to reach a server that has never answered', async () => {
    const scene = createScene({ timing: commandTiming(patienceMs) });
    scene.server.isUp = false;
    scene.client.start();
    await expect(scene.client.online()).rejects.toMatchObject({
      code: 'connection-lost',
      message: 'No companion server answers at http://127.0.0.1:47860: code 1006.',
      hint: 'Start it.',
    });
    expect(scene.server.connections).toBe(1);
    expect(scene.clock.pending).toEqual([]);
  });

  test('says at once when its token or its version is refused', async () => {
    const refused = createScene({ timing: commandTiming(patienceMs), isReadOnly: true });
    refused.server.acceptsToken = false;
    refused.client.start();
    await expect(refused.client.online()).rejects.toMatchObject({ code: 'not-paired' });
    const other = createScene({ timing: commandTiming(patienceMs) });
    other.server.protocol += 1;
    other.client.start();
    await expect(other.client.online()).rejects.toMatchObject({ code: 'version-mismatch' });
  });

  test('with no patience is over with the connection, for what waits and for what is asked later', async () => {
    const { client, server, clock, outcome } = open(0);
    const { jobId } = await outcome(client.createJob(wish));
    const watched = watchJob(client, jobId);
    watched.catch(() => undefined);
    await clock.settle();
    server.cutAll();
    const lost = {
      code: 'connection-lost',
      message: 'The companion server ended the connection (code 1006).',
      hint: 'Look into its log.',
    };
    await expect(watched).rejects.toMatchObject(lost);
    await expect(client.job(jobId)).rejects.toMatchObject(lost);
    expect(await client.gaveUp).toMatchObject(lost);
    expect(server.connections).toBe(1);
  });

  test('comes back at once to a server that was of use, and its job goes on being watched', async () => {
    const { client, server, clock, outcome } = open();
    const { jobId } = await outcome(client.createJob(wish));
    const watched = watchJob(client, jobId);
    await clock.settle();
    const before = clock.now();
    server.cutAll();
    server.changeJob(jobId, 'done');
    expect(await outcome(watched)).toMatchObject({ jobId, state: 'done' });
    expect(clock.now()).toBe(before);
  });

  test('looks for a lost server with growing pauses, then gives up what it was to do', async () => {
    const { client, server, clock, outcome } = open();
    await outcome(client.job('d'.repeat(32)).catch(() => undefined));
    server.isUp = false;
    server.cutAll();
    const lostAt = clock.now();
    await expect(outcome(client.jobs())).rejects.toMatchObject({ code: 'connection-lost' });
    const seconds = (clock.now() - lostAt) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(66);
    // At once, then after 0.1, 0.2, 0.4 ... 5 seconds.
    expect(server.connections).toBe(1 + 18);
    expect(clock.pending).toEqual([]);
  });

  test('waits for the new token of a server that has started anew', async () => {
    const { client, server, clock, outcome } = open(patienceMs, { isReadOnly: true });
    await outcome(client.online());
    server.acceptsToken = false;
    server.cutAll();
    const asked = client.jobs();
    await clock.advance(10_000);
    server.acceptsToken = true;
    expect(await outcome(asked)).toEqual([]);
  });

  test('gives up a piece of work that never gets further, however often it is connected', async () => {
    const { client, server, clock, outcome } = open();
    server.cuts.push(...Array.from({ length: 100 }, () => 0));
    await outcome(client.online());
    const source = { sizeBytes: 10, extension: null, read: () => Promise.resolve(new Uint8Array(10)) };
    await expect(outcome(client.upload(source, { uploadId: null }))).rejects.toMatchObject({ code: 'connection-lost' });
    expect(server.connections).toBeLessThanOrEqual(22);
    // Without a pause it would have taken no time.
    expect(clock.now() - Date.UTC(2026, 10, 22)).toBeGreaterThan(60_000);
  });

  test('ends its watch of a job that the server has paused for want of space', async () => {
    const { client, server, clock, outcome } = open();
    const job = await outcome(client.createJob(wish));
    const watched = watchJob(client, job.jobId);
    await clock.settle();
    const error = { code: 'disk-full', message: 'The disk is full.' } as const;
    server.tell({ type: 'job-changed', job: { ...job, state: 'paused', error } });
    expect(await outcome(watched)).toMatchObject({ state: 'paused', error });
  });

  test('that is canceled stops waiting for its job', async () => {
    const { client, clock, outcome } = open();
    const { jobId } = await outcome(client.createJob(wish));
    const stop = new AbortController();
    const watched = watchJob(client, jobId, { signal: stop.signal });
    watched.catch(() => undefined);
    await clock.settle();
    stop.abort();
    await expect(watched).rejects.toMatchObject({ name: 'CanceledError' });
  });

  test('tells of progress that grows only', async () => {
    const { client, server, clock, outcome } = open();
    const { jobId } = await outcome(client.createJob(wish));
    const heard: number[] = [];
    const watched = watchJob(client, jobId, { onProgress: ({ progress }) => heard.push(progress) });
    await clock.settle();
    for (const progress of [0.1, 0.3, 0.2, 0.4]) {
      const step = { stage: 'edit', step: 1, steps: 4, etaSeconds: null, reconstructionPsnr: null } as const;
      server.tell({ type: 'job-progress', jobId, progress: { ...step, progress } });
    }
    await clock.settle();
    server.changeJob(jobId, 'done');
    await outcome(watched);
    expect(heard).toEqual([0.1, 0.3, 0.4]);
  });
});
