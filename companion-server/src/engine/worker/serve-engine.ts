// The engine process's side of the IPC channel, with the edit passed in, so that tests can serve a fake one.

import { inspect } from 'node:util';
import type { EditProgress } from '../../../../protocol/progress.ts';
import { CanceledError } from '../../errors.ts';
import { toWireError } from '../../wire-error.ts';
import type { EditReport } from '../../../../protocol/edit-report.ts';
import type { ResumePoint } from '../run/resume-point.ts';
import type { EditJob, GrowingPicture } from '../run/edit-job.ts';
import type { EditEstimate } from '../estimate/estimate.ts';
import type { EngineEvent, EngineOutcome, EngineRequest, EstimateEnd } from './messages.ts';
import { endWithParent } from '../../process/parent-watch.ts';

export type RunEdit = (
  job: EditJob,
  hooks: {
    readonly onProgress: (progress: EditProgress) => void;
    readonly onResumePoint?: (resumePoint: ResumePoint) => void;
    readonly onPicture?: (picture: GrowingPicture) => void;
    readonly signal?: AbortSignal;
  },
) => Promise<EditReport>;

export type EstimateEdit = (job: EditJob, signal: AbortSignal) => Promise<EditEstimate>;

/** Serves edits and estimates, one after the other, until the server goes away; then ends this process and its children. */
export function serveEngine(runEdit: RunEdit, estimateEdit: EstimateEdit = cannotEstimate): void {
  if (process.send === undefined) {
    throw new Error('The engine process is started by the companion server, not by hand.');
  }
  endWithParent();
  let work = new AbortController();
  process.on('message', (request: EngineRequest | EstimateEnd) => {
    if (request.type === 'end-estimate') {
      work.abort();
      return;
    }
    work = new AbortController();
    const { signal } = work;
    void serveRequest(request, runEdit, (job) => estimateEdit(job, signal));
  });
  send({ type: 'ready' });
}

const cannotEstimate: EstimateEdit = () => Promise.reject(new Error('This engine makes no estimates.'));

async function serveRequest(
  { type, job }: EngineRequest,
  runEdit: RunEdit,
  estimateEdit: (job: EditJob) => Promise<EditEstimate>,
): Promise<void> {
  const onProgress = (progress: EditProgress): void => send({ type: 'progress', progress });
  const onResumePoint = (resumePoint: ResumePoint): void => send({ type: 'resume-point', resumePoint });
  const onPicture = (picture: GrowingPicture): void => send({ type: 'picture', picture });
  const outcome = await toOutcome(async () =>
    type === 'estimate'
      ? { type: 'estimated', estimate: await estimateEdit(job) }
      : { type: 'done', report: await runEdit(job, { onProgress, onResumePoint, onPicture }) },
  );
  send(outcome);
}

async function toOutcome(work: () => Promise<EngineOutcome>): Promise<EngineOutcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CanceledError) return { type: 'canceled' };
    process.stderr.write(`${inspect(error)}\n`);
    return { type: 'failed', error: toWireError(error) };
  }
}

/** A failed send means that the server has gone, which ends this process. */
function send(event: EngineEvent): void {
  if (process.connected) process.send?.(event, undefined, {}, () => undefined);
}
