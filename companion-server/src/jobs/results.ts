// The results of jobs that are done, as they were when their job ended.

import type { ResultFacts } from '../../../protocol/job.ts';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { resultArtifact, type ArtifactId } from '../artifacts/ids.ts';
import { EditError } from '../errors.ts';
import type { JobQueue } from './queue.ts';

export interface Result extends ResultFacts {
  readonly artifact: ArtifactId;
}

/**
 * The result of a job of the owner that is done. Throws EditError 'job-missing'; 'invalid-request' when the job has none;
 * 'result-invalid' when the stored file has another size than the result that was made.
 */
export async function resultOf(
  { jobs, artifacts }: { readonly jobs: Pick<JobQueue, 'get'>; readonly artifacts: Pick<ArtifactStore, 'facts'> },
  owner: string,
  jobId: string,
): Promise<Result> {
  const { result, state, settings } = await jobs.get(owner, jobId);
  if (result === null) throw new EditError('invalid-request', `Job ${jobId} has no result: it is ${state}.`);
  const artifact = resultArtifact(jobId, settings.codec);
  const found = (await artifacts.facts(artifact))?.sizeBytes;
  if (found === result.sizeBytes) return { ...result, artifact };
  throw new EditError(
    'result-invalid',
    `The result of job ${jobId} must have ${result.sizeBytes} bytes; on the disk it has ${found ?? 'none'}.`,
    { hint: 'It was changed outside the program. Run the edit again.' },
  );
}
