// Waits until a job is at rest, over any number of connections. The job continues without the client, and the client asks
// for its state after every connection.

import { orCanceled, type Signal } from '../errors.ts';
import { isOutcome, type JobView } from '../job.ts';
import type { EditProgress } from '../progress.ts';
import type { Client } from './client.ts';

export interface WatchOptions {
  /** Called with growing progress only. */
  readonly onProgress?: (progress: EditProgress) => void;
  /** Default: the job has its outcome, or the server has paused it with an error. */
  readonly until?: (job: JobView) => boolean;
  readonly signal?: Signal | undefined;
}

/**
 * Resolves with the job. Rejected with CanceledError, with the server's refusal when it does not know the job any more, or
 * with why the client gave up.
 */
export async function watchJob(
  client: Pick<Client, 'onJobs' | 'job' | 'gaveUp'>,
  jobId: string,
  { onProgress = () => undefined, until = isAtRest, signal }: WatchOptions = {},
): Promise<JobView> {
  let furthest = 0;
  const tell = (progress: EditProgress | null): void => {
    if (progress === null || progress.progress < furthest) return;
    furthest = progress.progress;
    onProgress(progress);
  };
  let settle: (job: JobView) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const over = new Promise<JobView>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  over.catch(() => undefined);
  // The listener is added before the request is sent, so that no event is missed between the two.
  const stopListening = client.onJobs({
    onJob(job) {
      if (job.jobId !== jobId) return;
      if (until(job)) settle(job);
      else tell(job.progress);
    },
    onProgress(id, progress) {
      if (id === jobId) tell(progress);
    },
  });
  void client.gaveUp.then(fail);
  // The answer comes to the listener as well.
  client.job(jobId, signal).catch(fail);
  try {
    return await orCanceled(over, signal);
  } finally {
    stopListening();
  }
}

function isAtRest({ state, error }: JobView): boolean {
  return isOutcome(state) || error !== null;
}
