// A job as its owner sees it.

import type { JobView } from '../../../protocol/job.ts';
import type { JobRow } from './store.ts';

export function toJobView({ jobId, createdAt, request, job, queuePosition }: JobRow): JobView {
  const { key, clipId, settings, model, priority } = request;
  const { state, progress, report, result, error, starts } = job;
  return {
    jobId,
    key,
    clipId,
    state,
    priority,
    createdAt,
    settings,
    model,
    progress,
    report,
    result,
    error,
    position: queuePosition,
    resumes: Math.max(0, starts - 1),
  };
}
