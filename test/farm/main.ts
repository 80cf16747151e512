// npm run test:farm [-- --rounds N] [--seed N]: a server, three workers as processes on data folders of their own, a Redis
// server and a shared folder. In each round clients queue jobs; meanwhile workers are killed and stopped for longer than
// their lock lasts, and Redis is killed and started again on its append-only file. Every job must be done, with one outcome
// and the right result.

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../../companion-server/src/client/connect.ts';
import { uploadClip } from '../../companion-server/src/client/transfer.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import { isOutcome } from '../../protocol/job.ts';
import { startCompanion } from '../companion.ts';
import { createChoices, type Choices } from '../faults/kills/choices.ts';
import { hasRedisServer, startRedis } from '../redis-server.ts';

const workers = 3;
const jobsOfARound = 6;
const lockMs = 1_000;
const patienceMs = 120_000;
/** Of fixtures/engines/stepping.ts. */
const stepsOfAJob = 10;

const faults = ['kill', 'stop', 'redis'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '50' }, seed: { type: 'string' } } });
  const rounds = Number(values.rounds);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!(rounds >= 1) || !Number.isInteger(seed)) {
    console.error('usage: npm run test:farm -- [--rounds N] [--seed N]');
    return 2;
  }
  if (!hasRedisServer) {
    console.error('There is no redis-server on this machine.');
    return 1;
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-farm-'));
  try {
    return await runRounds(folder, rounds, seed);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function runRounds(folder: string, rounds: number, seed: number): Promise<number> {
  console.log(`seed ${seed}`);
  const ledger = path.join(folder, 'ledger');
  const root = path.join(folder, 'share');
  const modelDir = path.join(folder, 'model');
  for (const made of [root, modelDir]) await mkdir(made);
  await writeFile(path.join(modelDir, 'model_index.json'), '{}');
  await writeFile(ledger, '');
  const clipPath = path.join(folder, 'clip.mkv');
  await makeClip(clipPath, [...testPicture('64x48', '10', 2), '-c:v', 'ffv1']);
  const redis = await startRedis({ isKept: true });
  const placeOf = (name: string, doesJobs: boolean) => ({
    cacheDir: path.join(folder, name, 'cache'),
    dataDir: path.join(folder, name, 'data'),
    modelDir,
    farm: { queue: redis.address, store: { type: 'folder', root }, doesJobs } as const,
  });
  const server = await startCompanion(placeOf('server', false));
  const running: ChildProcess[] = [];

  async function startWorkerProcess(index: number): Promise<void> {
    const engineEntry = new URL('../fixtures/engines/stepping.ts', import.meta.url).href;
    const settings = JSON.stringify({ ...placeOf(`worker-${index}`, true), lockMs, engineEntry });
    const child = fork(new URL('./worker-process.ts', import.meta.url), [settings], {
      env: { ...process.env, TEST_LEDGER: ledger },
    });
    running[index] = child;
    await once(child, 'message');
  }

  async function doFault(choices: Choices): Promise<string> {
    const fault = choices.oneOf(faults);
    const index = choices.below(workers);
    const worker = running[index];
    if (fault === 'redis') await redis.restart();
    else if (fault === 'stop') {
      worker?.kill('SIGSTOP');
      await pause(2 * lockMs);
      worker?.kill('SIGCONT');
    } else if (worker !== undefined) {
      const ended = once(worker, 'exit');
      worker.kill('SIGKILL');
      await ended;
      await startWorkerProcess(index);
    }
    return fault;
  }

  let failures = 0;
  try {
    for (let index = 0; index < workers; index++) await startWorkerProcess(index);
    const { url, token } = server;
    const client = await connect({ url, token: () => token, client: { name: 'test', version: '0' }, patienceMs: 0 });
    const { clipId } = await uploadClip(client, clipPath);
    for (let round = 1; round <= rounds; round++) {
      const started = Date.now();
      const choices = createChoices(seed, round);
      const outcomes = new Map<string, string[]>();
      const stop = client.onJobs({
        onJob({ jobId, state }) {
          if (isOutcome(state)) outcomes.set(jobId, [...(outcomes.get(jobId) ?? []), state]);
        },
        onProgress: () => undefined,
      });
      const jobIds: string[] = [];
      for (let index = 0; index < jobsOfARound; index++) {
        const settings = { ...defaultSettings(), prompt: 'x' };
        const request = { clipId, settings, model: null, device: 'cpu', priority: 0 } as const;
        const { job } = await client.request({ type: 'job-create', key: `round-${round}-${index}`, ...request });
        jobIds.push(job.jobId);
      }
      const done: string[] = [];
      let resumed = 0;
      let isOver = false;
      while (!isOver && Date.now() - started < patienceMs) {
        await pause(200 + choices.below(800));
        if (done.length < 4) done.push(await doFault(choices));
        isOver = true;
        for (const job of (await client.request({ type: 'job-list', afterJobId: null })).jobs) {
          if (!jobIds.includes(job.jobId) || isOutcome(job.state)) continue;
          isOver = false;
          // Set aside after three ends without a step in between: a person resumes it.
          if (job.state !== 'paused') continue;
          resumed++;
          await client.request({ type: 'job-resume', jobId: job.jobId });
        }
      }
      stop();
      const { jobs } = await client.request({ type: 'job-list', afterJobId: null });
      const lines = (await readFile(ledger, 'utf8')).split('\n');
      const faultsFound: string[] = [];
      let steps = 0;
      for (const jobId of jobIds) {
        const state = jobs.find((job) => job.jobId === jobId)?.state ?? 'missing';
        if (state !== 'done') faultsFound.push(`${jobId} is ${state}`);
        const told = outcomes.get(jobId) ?? [];
        if (told.join() !== 'done') faultsFound.push(`${jobId} was told as ${told.join() || 'nothing'}`);
        const result = await readFile(path.join(root, 'jobs', jobId, 'result.mov')).catch(() => null);
        if (result?.equals(await readFile(clipPath)) !== true) faultsFound.push(`${jobId} has no right result`);
        steps += lines.filter((line) => line.startsWith(jobId)).length;
        await client.request({ type: 'job-delete', jobId });
      }
      if (faultsFound.length > 0) failures++;
      const repeated = steps - jobsOfARound * stepsOfAJob;
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(
        `round ${round}: ${seconds} s, ${done.join(' ')}; ${repeated} steps repeated, ${resumed} resumed by hand` +
          (faultsFound.length === 0 ? '' : `; FAILED: ${faultsFound.join('; ')}`),
      );
    }
    await client.stop();
  } finally {
    for (const child of running) child.kill('SIGKILL');
    await server.close();
    await redis.close();
  }
  console.log(`${rounds - failures} of ${rounds} rounds passed`);
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main();
