// A whole edit over the real socket, with the real engine, on a queue and a store of artifacts that exist only in the tests:
// the server is assembled on them without a change to the program.

import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { editOverSocket } from '../../companion-server/src/client/edit-over-socket.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { startCompanion, type CompanionParts } from '../companion.ts';
import { createJob, outcomeOf, uploadTo } from '../e2e/test-jobs.ts';
import { connectTo } from '../e2e/test-server.ts';
import { testMedia } from '../fixtures/media.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { openMemoryArtifacts, type MemoryArtifacts } from '../memory/artifact-store.ts';
import { createMemoryQueue } from '../memory/job-queue.ts';
import { framesOf, tinyJob } from '../tiny-edits.ts';

let dir: string;
let modelDir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-ports-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', 3), '-c:v', 'ffv1']);
});
afterAll(() => rm(dir, { recursive: true }));

/** The pixels of an edit by a server on these parts. `onResult`: when the result is there, and the client fetches it. */
async function edit(name: string, parts: CompanionParts, onResult: () => void = () => undefined) {
  const place = { cacheDir: path.join(dir, 'cache'), dataDir: path.join(dir, name), modelDir };
  const server = await startCompanion(place, 'sharing', parts);
  onTestFinished(() => server.close());
  const { outputPath, settings, device } = tinyJob({ dir, modelDir, inputPath }, name, {});
  const steady = await connectTo(server);
  const onProgress = ({ phase }: { readonly phase: string }): void => {
    if (phase === 'download') onResult();
  };
  await editOverSocket(steady, { clipPath: inputPath, outPath: outputPath, settings, model: null, device, onProgress });
  return framesOf({ ...tinyJob({ dir, modelDir, inputPath }, name, {}), outputPath });
}

describe('ports that exist only here', () => {
  it('make the same edit as those of the program, and the data folder has no clip and no job', async () => {
    const artifacts = await openMemoryArtifacts();
    onTestFinished(() => artifacts.close());
    const jobs = createMemoryQueue();
    let queues = 0;
    const parts: CompanionParts = {
      openArtifacts: () => Promise.resolve(artifacts),
      openQueue(options) {
        queues++;
        return jobs.open(options);
      },
    };
    const kept = new Set<string>();
    const frames = await edit('memory', parts, () => {
      for (const id of artifacts.ids()) kept.add(id.replace(/[0-9a-f]{32,}/, 'ID'));
    });
    expect(frames).toHaveLength(3);
    expect(frames).toEqual(await edit('local', {}));
    expect(queues).toBe(1);
    expect([...kept].sort()).toEqual(['clips/ID.mkv', 'jobs/ID/result.mov']);
    // The client has deleted both.
    expect(artifacts.ids()).toEqual([]);
    for (const folder of ['clips', 'jobs']) {
      await expect(access(path.join(dir, 'memory', folder))).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  it('hand their jobs and results on to a server that follows, also over HTTP', async () => {
    const artifacts = await openMemoryArtifacts();
    const elsewhere = await artifacts.elsewhere();
    onTestFinished(async () => {
      await artifacts.close();
      await elsewhere.close();
    });
    const jobs = createMemoryQueue();
    const place = { cacheDir: path.join(dir, 'cache'), dataDir: path.join(dir, 'handed-on'), modelDir };
    const start = async (store: MemoryArtifacts): Promise<RunningServer> => {
      const parts: CompanionParts = {
        openArtifacts: () => Promise.resolve(store),
        openQueue: (options) => jobs.open(options),
        probe: () => Promise.resolve(testMedia),
      };
      const server = await startCompanion(place, 'copying', parts);
      onTestFinished(() => server.close());
      return server;
    };
    const first = await start(artifacts);
    const before = await connectTo(first);
    const jobId = await createJob(before, await uploadTo(before, { clipPath: inputPath }));
    expect(await outcomeOf(before, jobId)).toMatchObject({ state: 'done' });
    await first.close();
    const second = await start(elsewhere);
    const { jobs: found } = await (await connectTo(second)).request({ type: 'job-list', afterJobId: null });
    expect(found).toMatchObject([{ jobId, state: 'done' }]);
    const headers = { authorization: `Bearer ${second.token}`, 'content-type': 'application/json' };
    const link = await fetch(`${second.url}/results/${jobId}/link`, { method: 'POST', body: '{}', headers });
    const { url } = (await link.json()) as { readonly url: string };
    const result = await fetch(new URL(url, second.url));
    expect(Buffer.from(await result.arrayBuffer())).toEqual(await readFile(inputPath));
  });
});
