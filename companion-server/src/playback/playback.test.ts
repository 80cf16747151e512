import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobView } from '../../../protocol/job.ts';
import { openLocalArtifacts } from '../artifacts/local-store.ts';
import { jobArtifact, playbackFolder, resultArtifact } from '../artifacts/ids.ts';
import { EditError } from '../errors.ts';
import { makeClip, testPicture } from '../media/testing/clips.ts';
import { probeClip } from '../media/probe/probe.ts';
import { createPlayback } from './playback.ts';

let dataDir: string;
beforeEach(async () => (dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-playback-'))));
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const jobId = 'a'.repeat(32);

test('what is made for a job that is deleted ends, and leaves nothing in its folder', async () => {
  const artifacts = await openLocalArtifacts({ dataDir, setAside: () => Promise.resolve() });
  const folder = await artifacts.localPath(jobArtifact(jobId));
  await mkdir(folder, { recursive: true });
  const resultPath = await artifacts.localPath(resultArtifact(jobId, 'h264'));
  // Long enough that its video is not made at once.
  await makeClip(resultPath, [...testPicture('640x360', '25', 400), '-c:v', 'libx264', '-preset', 'ultrafast']);
  const job = {
    jobId,
    clipId: 'b'.repeat(32),
    state: 'done',
    settings: { preview: false, codec: 'h264', startSeconds: null },
    report: null,
    result: { sizeBytes: (await stat(resultPath)).size, sha256: 'c'.repeat(64) },
  } as unknown as JobView;
  let isThere = true;
  const get = (): Promise<JobView> =>
    isThere ? Promise.resolve(job) : Promise.reject(new EditError('job-missing', 'The job is gone.'));
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const unmade: unknown[] = [];
  const playback = createPlayback({
    jobs: { get, list: () => Promise.resolve([job]), ownerOf: () => Promise.resolve('owner') },
    clips: { get: () => Promise.reject(new EditError('clip-missing', 'The clip is gone.')) },
    artifacts,
    async infoOf(path) {
      const info = await probeClip(path);
      begin();
      return info;
    },
    onUnmade: (_, error) => unmade.push(error),
  });
  const prepared = playback.prepare(jobId);
  await begun;
  expect(existsSync(await artifacts.localPath(playbackFolder(jobId)))).toBe(true);
  isThere = false;
  await playback.forgetJob(jobId);
  await artifacts.remove(jobArtifact(jobId));
  await prepared;
  await playback.close();
  expect(existsSync(folder)).toBe(false);
  await playback.forgetJob(jobId);
});
