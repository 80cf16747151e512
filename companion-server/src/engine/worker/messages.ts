// The messages between server and engine process over the IPC channel: plain data. No message cancels an edit, because a
// process that computes does not read its messages: that is done by a signal (supervisor.ts).

import type { WireError } from '../../../../protocol/messages/wire-error.ts';
import type { EditProgress } from '../../../../protocol/progress.ts';
import type { EditReport } from '../../../../protocol/edit-report.ts';
import type { ResumePoint } from '../run/resume-point.ts';
import type { EditJob, GrowingPicture } from '../run/edit-job.ts';
import type { EditEstimate } from '../estimate/estimate.ts';

/** From the server. Sent only after `ready` or the outcome of the job before. */
export interface EngineRequest {
  readonly type: 'edit' | 'estimate';
  readonly job: EditJob;
}

/** From the server: cancels the current estimate. It may cross with the estimate's outcome and has no effect then. */
export interface EstimateEnd {
  readonly type: 'end-estimate';
}

/** From the engine: `ready` once after its start; then, for each job, progress, a resume point per step, and one outcome. */
export type EngineEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: EditProgress }
  | { readonly type: 'picture'; readonly picture: GrowingPicture }
  | { readonly type: 'resume-point'; readonly resumePoint: ResumePoint }
  | EngineOutcome;

export type EngineOutcome =
  | { readonly type: 'done'; readonly report: EditReport }
  | { readonly type: 'estimated'; readonly estimate: EditEstimate }
  | { readonly type: 'failed'; readonly error: WireError }
  | { readonly type: 'canceled' };
