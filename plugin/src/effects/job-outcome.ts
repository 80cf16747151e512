// Waits for a job's end, over any number of connections.

import { isOutcome, type JobView } from '../../../protocol/job.ts';
import type { Client } from '../client/client.ts';
import { orStopped, type StopSignal } from '../client/signal.ts';

/** Rejected with StoppedError, or with the server's refusal when it does not know the job any more. */
export async function jobOutcome(
  client: Pick<Client, 'onJobs' | 'job'>,
  jobId: string,
  signal: StopSignal,
): Promise<JobView> {
  let settle: (job: JobView) => void = () => undefined;
  const told = new Promise<JobView>((resolve) => (settle = resolve));
  const stopListening = client.onJobs({
    onJob(job) {
      if (job.jobId === jobId && isOutcome(job.state)) settle(job);
    },
    onProgress: () => undefined,
  });
  try {
    const now = await client.job(jobId, signal);
    return isOutcome(now.state) ? now : await orStopped(told, signal);
  } finally {
    stopListening();
  }
}
