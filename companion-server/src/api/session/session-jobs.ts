// The jobs of a client, on one of its connections. They belong to the client and outlive the connection.

import type { Estimate, Estimates } from '../../../../protocol/estimate.ts';
import { isOutcome, type JobView } from '../../../../protocol/job.ts';
import type {
  ClientJobMessage,
  EditRequest,
  EstimateGet,
  JobCreate,
  JobListed,
} from '../../../../protocol/messages/job-messages.ts';
import { jobPictureMs, maxListedJobs, windowBytes } from '../../../../protocol/limits.ts';
import type { ServerMessage } from '../../../../protocol/messages/server-messages.ts';
import { EditError, orCanceled, throwIfCanceled } from '../../errors.ts';
import type { JobPicture } from '../../jobs/executor.ts';
import type { Peer } from './peer.ts';
import type { SessionDeps } from './session-deps.ts';
import { sendStream } from './session-downloads.ts';

export type SessionJobsDeps = Pick<SessionDeps, 'jobs' | 'checkEdit' | 'estimateEdit' | 'log'>;

export interface SessionJobs {
  /** Carries out messages about jobs, except the slow ones. */
  handle(message: Exclude<ClientJobMessage, EstimateGet | { readonly type: 'job-delete' }>): Promise<void>;
  /** Ends the previous estimate, if it is not answered yet. */
  estimate(message: EstimateGet): Promise<void>;
  delete(message: { readonly requestId: number; readonly jobId: string }): Promise<void>;
  /** Stops the events, and the estimate, which has no receiver any more. */
  close(): void;
}

export function createSessionJobs(
  peer: Peer,
  deps: SessionJobsDeps,
  owner: string,
  takeStreamId: () => number,
): SessionJobs {
  const { jobs, checkEdit, estimateEdit, log } = deps;
  /** The last state that was sent of each job, without its progress. */
  const lastSent = new Map<string, string>();
  /** Of the newest estimate. */
  let estimating = new AbortController();
  let lastPictureAt = 0;

  function report(job: JobView): void {
    const { jobId, progress } = job;
    const facts = factsOf(job);
    if (lastSent.get(jobId) !== facts) {
      if (isOutcome(job.state)) lastSent.delete(jobId);
      else lastSent.set(jobId, facts);
      peer.send({ type: 'job-changed', job });
    } else if (progress !== null && peer.waitingBytes() <= windowBytes) {
      // Late progress is useless: a client that does not read gets only the changes.
      peer.send({ type: 'job-progress', jobId, progress });
    }
  }

  /** An edit that cannot fit is refused; one that cannot be estimated fails later, with its own reason. */
  async function requireFit({ clipId, settings, model, device }: JobCreate): Promise<void> {
    let found: Estimate;
    try {
      found = await estimateEdit(owner, { clipId, settings, model, device });
    } catch (error) {
      log.debug('There is no estimate of a new job.', { error: String(error) });
      return;
    }
    if (found.fits) return;
    throw new EditError('does-not-fit', 'The edit does not fit on this machine.', {
      hint: found.advice ?? 'Try a smaller size or a shorter part of the clip.',
    });
  }

  async function estimateBoth(
    { clipId, settings, model, device }: EditRequest,
    signal: AbortSignal,
  ): Promise<Estimates> {
    const estimate = (preview: boolean): Promise<Estimate> =>
      estimateEdit(owner, { clipId, settings: { ...settings, preview }, model, device }, signal);
    const [edit, preview] = await Promise.all([
      estimate(false),
      // If the preview cannot be estimated, the edit's estimate is still sent.
      estimate(true).catch((error: unknown) => {
        throwIfCanceled(signal);
        log.debug('There is no estimate of a preview.', { error: String(error) });
        return null;
      }),
    ]);
    return { edit, preview };
  }

  async function pageAfter(afterJobId: string | null): Promise<Pick<JobListed, 'jobs' | 'isComplete'>> {
    const found = await jobs.list(owner, afterJobId, maxListedJobs + 1);
    return { jobs: found.slice(0, maxListedJobs), isComplete: found.length <= maxListedJobs };
  }

  async function create(message: JobCreate): Promise<JobView> {
    const { key, clipId, settings, model, device, priority } = message;
    if (!(await jobs.hasKey(owner, key))) {
      await checkEdit(owner, { clipId, settings, model, device });
      await requireFit(message);
    }
    return jobs.add(owner, { key, clipId, settings, model, device, priority });
  }

  /** A picture that would wait is dropped: there will be a newer one. */
  function showPicture(jobId: string, { jpeg, frameIndex }: JobPicture): void {
    const now = Date.now();
    if (peer.waitingBytes() > 0 || now - lastPictureAt < jobPictureMs) return;
    lastPictureAt = now;
    const streamId = takeStreamId();
    peer.send({ type: 'job-picture', jobId, streamId, sizeBytes: jpeg.length, frameIndex });
    sendStream(peer, streamId, jpeg).catch((error: unknown) =>
      log.debug('A picture of a job could not be sent.', { error: String(error) }),
    );
  }

  const unsubscribe = jobs.subscribe(owner, {
    onJob: report,
    onPicture: showPicture,
    onPositions: (positions) => peer.send({ type: 'job-positions', positions }),
  });

  return {
    async handle(message) {
      peer.send(await reply(message));
    },
    async estimate({ requestId, estimateId, ...wish }) {
      estimating.abort();
      estimating = new AbortController();
      const { signal } = estimating;
      try {
        const found = await orCanceled(estimateBoth(wish, signal), signal);
        peer.send({ type: 'estimated', requestId, estimateId, ...found });
      } catch (error) {
        if (!signal.aborted) throw error;
        peer.send({ type: 'estimate-canceled', requestId, estimateId });
      }
    },
    async delete({ requestId, jobId }) {
      await jobs.remove(owner, jobId);
      peer.send({ type: 'job-deleted', requestId, jobId });
    },
    close() {
      estimating.abort();
      unsubscribe();
    },
  };

  async function reply(message: Parameters<SessionJobs['handle']>[0]): Promise<ServerMessage> {
    const { requestId } = message;
    switch (message.type) {
      case 'job-create':
        return { type: 'job', requestId, job: await create(message) };
      case 'job-list':
        return { type: 'job-listed', requestId, ...(await pageAfter(message.afterJobId)) };
      case 'job-get':
        return { type: 'job', requestId, job: await jobs.get(owner, message.jobId) };
      case 'job-cancel':
        return { type: 'job', requestId, job: await jobs.cancel(owner, message.jobId) };
      case 'job-pause':
        return { type: 'job', requestId, job: await jobs.pause(owner, message.jobId) };
      case 'job-resume':
        return { type: 'job', requestId, job: await jobs.resume(owner, message.jobId) };
      case 'job-move':
        return {
          type: 'job',
          requestId,
          job: await jobs.move(owner, message.jobId, message.beforeJobId),
        };
    }
  }
}

/** Everything that may change in a view, except its progress. */
function factsOf({ state, priority, position, resumes }: JobView): string {
  return `${state} ${priority} ${position ?? '-'} ${resumes}`;
}
