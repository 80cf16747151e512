import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createFixture, over, owner, requestOf, stranger } from '../../../test/job-fixture.ts';
import { outcome } from '../../../test/manual-executor.ts';
import { openTestArtifacts } from '../../../test/artifact-fixture.ts';
import { resultArtifact } from '../artifacts/ids.ts';
import { resultOf } from './results.ts';

test('a result is told of a job that is done, to its owner, as long as it is what was made', async () => {
  const { queue: jobs, run } = await createFixture();
  const artifacts = await openTestArtifacts();
  const deps = { jobs, artifacts };
  const request = requestOf();
  const { jobId } = await jobs.add(owner, request);
  await expect(resultOf(deps, owner, jobId)).rejects.toThrow('has no result');
  (await run(0)).ending.resolve(outcome);
  await over(jobs, jobId);
  await expect(resultOf(deps, owner, jobId)).rejects.toThrow('must have 3 bytes; on the disk it has none.');
  const artifact = resultArtifact(jobId, request.settings.codec);
  const put = async (content: string): Promise<void> => {
    const file = await artifacts.localPath('clips/arriving');
    await writeFile(file, content);
    await artifacts.put(artifact, file);
  };
  await put('abc');
  expect(await resultOf(deps, owner, jobId)).toEqual({ artifact, ...outcome.result });
  await expect(resultOf(deps, stranger, jobId)).rejects.toMatchObject({ code: 'job-missing' });
  await put('abcd');
  await expect(resultOf(deps, owner, jobId)).rejects.toThrow('on the disk it has 4.');
});
