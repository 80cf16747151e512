// The server process while it does jobs: its memory over many of them, and how late its event loop is.

import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect } from '../../companion-server/src/client/connect.ts';
import type { Client } from '../../protocol/client/client.ts';
import { downloadResult, uploadClip } from '../../companion-server/src/client/transfer.ts';
import { watchJob } from '../../protocol/client/watch-job.ts';
import { defaultSettings, type EditSettings } from '../../protocol/edit-settings.ts';
import { benchClip } from '../engine-run.ts';
import { benchFolder } from '../folder.ts';
import type { Bench, BenchRow } from '../table.ts';
import type { Address, Measurement } from './server.ts';

const entry = path.join(import.meta.dirname, 'server.ts');
const fakeEngine = new URL('../../test/fixtures/engines/copying.ts', import.meta.url);
const realEngine = new URL('../../companion-server/src/engine/worker/process.ts', import.meta.url);
const mebibyte = 2 ** 20;
const [early, late] = [10, 200];
/** How much more memory 190 jobs may leave. */
const growthLimit = 1.15;
const delayLimitMs = 20;

export const jobsBench: Bench = {
  name: 'jobs',
  title: `The server process: memory over ${late} jobs, and the delay of its event loop`,
  async run({ isQuick, log }) {
    await mkdir(benchFolder(), { recursive: true });
    const folder = await mkdtemp(path.join(benchFolder(), 'jobs-'));
    try {
      return [
        ...(await measureMemory(path.join(folder, 'many'), isQuick ? 40 : late, log)),
        await measureHashing(path.join(folder, 'large'), (isQuick ? 128 : 512) * mebibyte),
        await measureRealEdit(path.join(folder, 'real')),
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Measured {
  readonly steady: Client;
  /** What the server has measured since it was asked before. */
  readonly ask: () => Promise<Measurement>;
}

async function withServer<T>(folder: string, engine: URL, work: (server: Measured) => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  const child = fork(entry, [folder, engine.href], { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'exit');
  try {
    const [{ url, token }] = (await once(child, 'message')) as [Address];
    const client = { name: 'bench', version: '0' };
    const steady = await connect({ url, token: () => token, client, patienceMs: 0 });
    try {
      return await work({
        steady,
        async ask() {
          child.send('measure');
          const [measured] = (await once(child, 'message')) as [Measurement];
          return measured;
        },
      });
    } finally {
      await steady.stop();
    }
  } finally {
    child.disconnect();
    await ended;
  }
}

/** One job from the clip to the downloaded result, which is thrown away. */
async function runJob(steady: Client, clipId: string, settings: Partial<EditSettings> = {}): Promise<void> {
  const wish = {
    clipId,
    settings: { ...defaultSettings(), prompt: 'a blue ball on snow', ...settings },
    ...({ model: null, device: 'cpu', priority: 0 } as const),
  };
  const { job } = await steady.request({ type: 'job-create', key: randomUUID(), ...wish });
  const { jobId } = job;
  const { result, error } = await watchJob(steady, jobId);
  if (result === null) throw new Error(`The job failed: ${error?.message ?? 'canceled'}`);
  const file = { write: (bytes: Uint8Array) => Promise.resolve({ bytesWritten: bytes.length, buffer: bytes }) };
  await downloadResult(steady, jobId, file as never);
  await steady.request({ type: 'job-delete', jobId });
}

async function upload(steady: Client, clipPath: string): Promise<string> {
  const { clipId } = await uploadClip(steady, clipPath);
  return clipId;
}

function measureMemory(folder: string, jobs: number, log: (line: string) => void): Promise<BenchRow[]> {
  return withServer(folder, fakeEngine, async ({ steady, ask }) => {
    const clipPath = path.join(folder, 'clip.mp4');
    await writeFile(clipPath, randomBytes(2 * mebibyte));
    const clipId = await upload(steady, clipPath);
    const resident = new Map<number, number>();
    for (let job = 1; job <= jobs; job++) {
      await runJob(steady, clipId);
      if (job !== early && job !== jobs) continue;
      const { residentBytes } = await ask();
      resident.set(job, residentBytes);
      log(`job ${job}: ${megabytes(residentBytes)}`);
    }
    const [first = NaN, last = NaN] = [...resident.values()];
    return [
      row(`memory after job ${early}`, megabytes(first), '', true),
      row(`memory after job ${jobs}`, megabytes(last), '', true),
      row(
        `memory, job ${jobs} : ${early}`,
        (last / first).toFixed(2),
        `<= ${growthLimit}`,
        last / first <= growthLimit,
      ),
    ];
  });
}

/** A large result is hashed and sent. */
function measureHashing(folder: string, sizeBytes: number): Promise<BenchRow> {
  return withServer(folder, fakeEngine, async ({ steady, ask }) => {
    const clipPath = path.join(folder, 'clip.mp4');
    await writeFile(clipPath, randomBytes(sizeBytes));
    const clipId = await upload(steady, clipPath);
    await ask();
    await runJob(steady, clipId);
    return delayRow(`a result of ${megabytes(sizeBytes)} hashed and sent`, await ask());
  });
}

function measureRealEdit(folder: string): Promise<BenchRow> {
  return withServer(folder, realEngine, async ({ steady, ask }) => {
    const clipId = await upload(steady, await benchClip(40, 64));
    const settings = { steps: 2, inversionSteps: 2, size: { width: 64, height: 64 } };
    await ask();
    await runJob(steady, clipId, settings);
    return delayRow('an edit of 40 frames', await ask());
  });
}

function delayRow(what: string, { delayMs: { p99, max } }: Measurement): BenchRow {
  const value = `p99 ${p99.toFixed(1)} ms, worst ${max.toFixed(1)} ms`;
  return row(`event loop, ${what}`, value, `p99 < ${delayLimitMs} ms`, p99 < delayLimitMs);
}

function row(figure: string, value: string, target: string, isMet: boolean): BenchRow {
  return { figure, value, target, isMet };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / mebibyte)} MiB`;
}
