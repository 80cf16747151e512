// A server and workers that share Redis and a folder, each on a data folder of its own.

import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Config } from '../../companion-server/src/app/config.ts';
import { createLog } from '../../companion-server/src/app/log.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { startWorker, type RunningWorker } from '../../companion-server/src/app/worker.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { programOf } from '../bundles.ts';
import { startCompanion } from '../companion.ts';
import { createJob, outcomeOf, progressOf, uploadTo } from '../e2e/test-jobs.ts';
import { connectTo } from '../e2e/test-server.ts';
import { hasRedisServer, startRedis, type TestRedis } from '../redis-server.ts';

const lockMs = 600;

describe.skipIf(!hasRedisServer)('a server and workers on one queue', () => {
  let redis: TestRedis;
  let dir: string;
  let clipPath: string;

  let clips: string;
  let clip: string;

  beforeAll(async () => {
    redis = await startRedis();
    clips = await mkdtemp(path.join(tmpdir(), 'tokenflow-farm-clip-'));
    clip = await makeClip(path.join(clips, 'clip.mkv'), [...testPicture('64x48', '10', 2), '-c:v', 'ffv1']);
  });
  afterAll(async () => {
    await rm(clips, { recursive: true });
    await redis.close();
  });

  beforeEach(async () => {
    const admin = redis.connect();
    await admin.flushall();
    admin.disconnect();
    dir = await mkdtemp(path.join(tmpdir(), 'tokenflow-farm-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    clipPath = path.join(dir, 'clip.mkv');
    await copyFile(clip, clipPath);
    await mkdir(path.join(dir, 'model'));
    await writeFile(path.join(dir, 'model', 'model_index.json'), '{}');
  });

  function placeOf(name: string, doesJobs: boolean) {
    const root = path.join(dir, 'share');
    const farm: Config['farm'] = { queue: redis.address, store: { type: 'folder', root }, doesJobs };
    const own = { cacheDir: path.join(dir, name, 'cache'), dataDir: path.join(dir, name, 'data') };
    return { ...own, modelDir: path.join(dir, 'model'), farm };
  }

  async function serve(name: string, { doesJobs = false } = {}): Promise<RunningServer> {
    await mkdir(path.join(dir, 'share'), { recursive: true });
    const server = await startCompanion(placeOf(name, doesJobs));
    onTestFinished(() => server.close());
    return server;
  }

  async function work(name: string, engine = 'copying'): Promise<RunningWorker> {
    const { modelDir, ...place } = placeOf(name, true);
    const worker = await startWorker({
      config: { ...place, ports: [0], logLevel: 'silent', models: new Map([['model', modelDir]]) },
      log: createLog({ level: 'silent', write: () => undefined }),
      engineEntry: programOf(`engines/${engine}`),
      lockMs,
    });
    onTestFinished(() => worker.close());
    return worker;
  }

  test('a worker does the job of a client, who gets the result from the server', async () => {
    const server = await serve('server');
    const client = await connectTo(server);
    const clipId = await uploadTo(client, { clipPath });
    const jobId = await createJob(client, clipId);
    const worker = await work('worker');
    expect(await outcomeOf(client, jobId)).toMatchObject({ state: 'done', model: 'model' });
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    const link = await fetch(`${server.url}/results/${jobId}/link`, { method: 'POST', body: '{}', headers });
    const { url } = (await link.json()) as { readonly url: string };
    const result = await fetch(new URL(url, server.url));
    expect(Buffer.from(await result.arrayBuffer())).toEqual(await readFile(clipPath));
    // Its copies have gone with the job.
    const mirror = path.join(dir, 'worker', 'data', 'workers', '1', 'mirror');
    await vi.waitFor(async () => expect(await readdir(path.join(mirror, 'jobs'))).toEqual([]));
    const listed = await fetch(`${server.url}/workers`, { headers });
    expect(await listed.json()).toMatchObject({ workers: [{ name: worker.name, jobId: null }], queued: 0 });
  });

  test('a worker that ends gives its job back, and another one goes on from its last step', async () => {
    const client = await connectTo(await serve('server'));
    const clipId = await uploadTo(client, { clipPath });
    const first = await work('first', 'stopping');
    const jobId = await createJob(client, clipId);
    await progressOf(client, jobId);
    await first.close();
    // It has nothing of the first but what the store has, and its engine ends only after the step that it finds.
    await work('second', 'stopping');
    expect(await outcomeOf(client, jobId)).toMatchObject({ state: 'done', resumes: 1 });
  });

  test('a job is canceled by its client while a worker does it', async () => {
    const client = await connectTo(await serve('server'));
    const clipId = await uploadTo(client, { clipPath });
    await work('worker', 'stopping');
    const jobId = await createJob(client, clipId);
    await progressOf(client, jobId);
    await client.request({ type: 'job-cancel', jobId });
    expect(await outcomeOf(client, jobId)).toMatchObject({ state: 'canceled' });
    const jobs = path.join(dir, 'share', 'jobs');
    await vi.waitFor(async () => expect(await readdir(jobs).catch(() => [])).toEqual([]));
  });

  test('the server does jobs itself, if it is not told to leave them to workers', async () => {
    const client = await connectTo(await serve('server', { doesJobs: true }));
    const jobId = await createJob(client, await uploadTo(client, { clipPath }));
    expect(await outcomeOf(client, jobId)).toMatchObject({ state: 'done' });
  });

  test('a second server is refused as long as the first one runs', async () => {
    const first = await serve('server');
    await expect(serve('another')).rejects.toThrow('Another server has the queue');
    await first.close();
    await serve('another');
  });

  test('two workers of one machine have a folder each, and a store that is not there is named', async () => {
    await expect(work('worker')).rejects.toThrow('TOKENFLOW_STORE names the folder');
    await serve('server');
    const names = [await work('worker'), await work('worker')].map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    expect((await readdir(path.join(dir, 'worker', 'data', 'workers'))).toSorted()).toEqual(['1', '2']);
  });
});
