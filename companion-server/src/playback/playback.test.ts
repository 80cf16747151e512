import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JobView } from '../../../protocol/job.ts';
import { openLocalArtifacts } from '../artifacts/local-store.ts';
import { jobArtifact, resultArtifact } from '../artifacts/ids.ts';
import { EditError } from '../errors.ts';
import { createPlayback } from './playback.ts';

let dataDir: string;
beforeEach(async () => (dataDir = await mkdtemp(join(tmpdir(), 'tokenflow-playback-'))));
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const jobId = 'a'.repeat(32);

test('a job that is deleted while its video is made leaves no folder', async () => {
  const artifacts = await openLocalArtifacts({ dataDir, setAside: () => Promise.resolve() });
  const folder = await artifacts.localPath(jobArtifact(jobId));
  await mkdir(folder, { recursive: true });
  await writeFile(await artifacts.localPath(resultArtifact(jobId, 'h264')), 'a result');
  const job = {
    jobId,
    clipId: 'b'.repeat(32),
    state: 'done',
    settings: { preview: false, codec: 'h264', startSeconds: null },
    report: null,
    result: { sizeBytes: 8, sha256: 'c'.repeat(64) },
  } as unknown as JobView;
  let isThere = true;
  const get = (): Promise<JobView> =>
    isThere ? Promise.resolve(job) : Promise.reject(new EditError('job-missing', 'The job is gone.'));
  const unmade: unknown[] = [];
  const playback = createPlayback({
    jobs: { get, list: () => Promise.resolve([job]), ownerOf: () => Promise.resolve('owner') },
    clips: { get: () => Promise.reject(new EditError('clip-missing', 'The clip is gone.')) },
    artifacts,
    async infoOf() {
      isThere = false;
      await artifacts.remove(jobArtifact(jobId));
      await mkdir(join(folder, 'playback'), { recursive: true });
      throw new EditError('clip-missing', 'The result is gone.');
    },
    onUnmade: (_, error) => unmade.push(error),
  });
  await playback.prepare(jobId);
  await playback.close();
  expect(unmade).toHaveLength(1);
  expect(existsSync(folder)).toBe(false);
});
