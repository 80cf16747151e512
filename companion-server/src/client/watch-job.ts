// Waits for the end of a job. The job goes on without the client; a new connection asks where it is.

import { isOutcome, type JobView } from '../../../protocol/job.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { Attempt, SteadyConnection } from './steady-connection.ts';

/** Returns the job with its outcome, or paused with the error that did it. Throws CanceledError or EditError. */
export function watchJob(
  steady: SteadyConnection,
  jobId: string,
  onProgress: (progress: EditProgress) => void,
  signal: AbortSignal | undefined,
): Promise<JobView> {
  let furthest = 0;
  const tell = (progress: EditProgress | null): void => {
    if (progress === null || progress.progress < furthest) return;
    furthest = progress.progress;
    onProgress(progress);
  };

  async function watch({ connection, progressed }: Attempt): Promise<JobView> {
    let stopListening: () => void = () => undefined;
    const over = new Promise<JobView>((resolve) => {
      stopListening = connection.onEvent((event) => {
        if (event.type === 'job-progress' && event.jobId === jobId) tell(event.progress);
        else if (event.type === 'job-changed' && event.job.jobId === jobId) {
          if (isAtRest(event.job)) resolve(event.job);
          else tell(event.job.progress);
        } else return;
        progressed();
      });
    });
    try {
      // Events are heard before the question is asked, so that nothing falls between the two.
      const { job } = await connection.wait(connection.request({ type: 'job-get', jobId }), signal);
      if (isAtRest(job)) return job;
      tell(job.progress);
      return await connection.wait(over, signal);
    } finally {
      stopListening();
    }
  }

  return steady.run(watch, signal);
}

function isAtRest({ state, error }: JobView): boolean {
  return isOutcome(state) || error !== null;
}
