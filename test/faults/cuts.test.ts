// Uploads and downloads whose connection is cut at random bytes: the whole arrives all the same, and no cut costs more
// than one chunk.

import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Client } from '../../protocol/client/client.ts';
import { downloadResult, uploadClip } from '../../companion-server/src/client/transfer.ts';
import { watchJob } from '../../protocol/client/watch-job.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { createRandom } from '../../companion-server/src/tensor/random.ts';
import { defaultSettings } from '../../protocol/edit-settings.ts';
import type { ResultFacts } from '../../protocol/job.ts';
import { chunkBytes } from '../../protocol/limits.ts';
import { connectTo, startTestServer } from '../e2e/test-server.ts';
import { createWorkspace, type Workspace } from '../e2e/workspace.ts';
import { startCuttingProxy, type CuttingProxy } from './cutting-proxy.ts';
import type { MediaSeen } from './media-counter.ts';

const cutsPerDirection = 50;
const seed = 20_261_122;
const clipBytes = 9 * 1024 * 1024 + 12_345;
/** A connection is cut within so many bytes. */
const longestRunBytes = 3 * 1024 * 1024;
const patienceMs = 30_000;

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function writeClip({ folder }: Workspace, index: number): Promise<[string, Buffer]> {
  const path = join(folder, `clip-${index}.mp4`);
  const bytes = randomBytes(clipBytes);
  await writeFile(path, bytes);
  return [path, bytes];
}

/** Media bytes that each cut made necessary to send again, within one transfer's connections. */
function repeatedBytes(seen: readonly MediaSeen[]): number[] {
  const runs = seen.filter(({ firstOffset }) => firstOffset !== null);
  return runs.slice(1).map(({ firstOffset }, index) => {
    const before = runs[index];
    return (before?.firstOffset ?? 0) + (before?.mediaBytes ?? 0) - (firstOffset ?? 0);
  });
}

async function startProxied(direction: 'to server' | 'to client'): Promise<{
  readonly workspace: Workspace;
  readonly server: RunningServer;
  readonly proxy: CuttingProxy;
}> {
  const workspace = await createWorkspace();
  const server = await startTestServer(workspace);
  const random = createRandom(seed);
  const nextCut = (): number => 1 + Math.floor(random.uniform() * longestRunBytes);
  const port = Number(new URL(server.url).port);
  const proxy = await startCuttingProxy(port, direction, cutsPerDirection, nextCut);
  return { workspace, server, proxy };
}

/** An edit by the copying engine, as far as its result on the server. */
async function makeResult(
  steady: Client,
  clipPath: string,
): Promise<{ readonly jobId: string; readonly result: ResultFacts }> {
  const { clipId } = await uploadClip(steady, clipPath);
  const settings = { ...defaultSettings(), prompt: 'a wolf' };
  const wish = { clipId, settings, model: null, device: 'cpu', priority: 0 } as const;
  const { job } = await steady.request({ type: 'job-create', key: `key-${clipId}`, ...wish });
  const { jobId, result } = await watchJob(steady, job.jobId);
  if (result === null) throw new Error('The job has no result.');
  return { jobId, result };
}

test(`uploads that are cut ${cutsPerDirection} times arrive whole, and repeat at most one chunk per cut`, async () => {
  const { workspace, server, proxy } = await startProxied('to server');
  const repeated: number[] = [];
  for (let index = 0; proxy.cuts() < cutsPerDirection; index++) {
    const [clipPath, bytes] = await writeClip(workspace, index);
    const begunAt = proxy.seen().length;
    const steady = await connectThrough(proxy, server);
    const { clipId } = await uploadClip(steady, clipPath);
    const { sha256, sizeBytes } = await steady.request({ type: 'clip-get', clipId });
    expect({ sha256, sizeBytes }).toEqual({ sha256: sha256Of(bytes), sizeBytes: clipBytes });
    await steady.stop();
    repeated.push(...repeatedBytes(proxy.seen().slice(begunAt)));
  }
  expect(proxy.cuts()).toBe(cutsPerDirection);
  expect(Math.max(...repeated)).toBeLessThanOrEqual(chunkBytes);
  expect(Math.max(...repeated)).toBeGreaterThan(0);
});

test(`downloads that are cut ${cutsPerDirection} times arrive whole, and repeat at most one chunk per cut`, async () => {
  const { workspace, server, proxy } = await startProxied('to client');
  const [clipPath, bytes] = await writeClip(workspace, 0);
  const { jobId, result } = await makeResult(await connectTo(server), clipPath);
  expect(result).toEqual({ sha256: sha256Of(bytes), sizeBytes: clipBytes });
  const repeated: number[] = [];
  for (let index = 0; proxy.cuts() < cutsPerDirection; index++) {
    const begunAt = proxy.seen().length;
    const steady = await connectThrough(proxy, server);
    const path = join(workspace.folder, `result-${index}.mov`);
    const file = await open(path, 'wx');
    await downloadResult(steady, jobId, file);
    await file.close();
    await steady.stop();
    expect(sha256Of(await readFile(path))).toBe(result.sha256);
    repeated.push(...repeatedBytes(proxy.seen().slice(begunAt)));
  }
  expect(proxy.cuts()).toBe(cutsPerDirection);
  expect(Math.max(...repeated)).toBeLessThanOrEqual(chunkBytes);
  expect(Math.max(...repeated)).toBeGreaterThan(0);
});

/** A connection that may be cut before it is there at all. */
async function connectThrough({ url }: CuttingProxy, { token }: RunningServer): Promise<Client> {
  for (;;) {
    try {
      return await connectTo({ url, token }, patienceMs);
    } catch (error) {
      expect(error).toMatchObject({ code: 'connection-lost' });
    }
  }
}
