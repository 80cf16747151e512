// A task is one running edit: from the clip on the timeline to the result above it. It is kept across restarts of the
// panel and finds its job on the server again by its key.

import type { EditReport } from '../../../protocol/edit-report.ts';
import type { EditSettings } from '../../../protocol/edit-settings.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { ClipSnapshot, ExportMode } from '../host/selection.ts';
import type { Problem } from './problem.ts';

export type TaskState =
  | { readonly name: 'exporting'; readonly progress: number | null }
  | { readonly name: 'sending'; readonly sentBytes: number; readonly sizeBytes: number }
  /** The server has the job; `position` jobs run before it. */
  | { readonly name: 'queued'; readonly position: number | null }
  /** `isStarting`: nothing was heard of its work since it began or went on. */
  | { readonly name: 'running'; readonly progress: EditProgress | null; readonly isStarting: boolean }
  /** `problem`: what stopped it; null when the user did. */
  | {
      readonly name: 'paused';
      readonly progress: EditProgress | null;
      readonly problem: Problem | null;
    }
  | { readonly name: 'fetching'; readonly receivedBytes: number; readonly sizeBytes: number }
  | { readonly name: 'placing' }
  | { readonly name: 'done'; readonly editId: string; readonly version: number }
  /** A preview whose frames can be shown. It is never placed on the timeline. */
  | { readonly name: 'previewed' }
  /** A preview that is not needed any more; it disappears as soon as the server has deleted its job. */
  | { readonly name: 'dropped' }
  /** The result is here and nothing is placed; the user decides. */
  | { readonly name: 'unplaced'; readonly problem: Problem }
  | { readonly name: 'failed'; readonly problem: Problem }
  | { readonly name: 'canceled' };

export interface Task {
  /** The job's key; names the task as well. */
  readonly key: string;
  readonly projectId: string | null;
  readonly clipName: string;
  readonly snapshot: ClipSnapshot;
  readonly frames: number | null;
  readonly mode: ExportMode;
  readonly settings: EditSettings;
  readonly model: string | null;
  /** The edit of which this will be a new version; null for a new edit. */
  readonly editId: string | null;
  readonly createdAt: string;
  readonly clipId: string | null;
  readonly jobId: string | null;
  readonly media: MediaFacts | null;
  readonly report: EditReport | null;
  /** A cancel was requested and has not happened yet. */
  readonly isCanceling: boolean;
  /** The user has asked for this, and the server has not answered yet. */
  readonly asked: 'pause' | 'resume' | null;
  readonly state: TaskState;
}

export function isOver({ state }: Task): boolean {
  return ['done', 'previewed', 'dropped', 'unplaced', 'failed', 'canceled'].includes(state.name);
}

/** Whether it is listed with the running edits; a finished preview is shown elsewhere. */
export function isListed({ state }: Task): boolean {
  return state.name !== 'previewed' && state.name !== 'dropped';
}

/** Whether the server works on it, or will. */
export function isOnServer({ state }: Task): boolean {
  return state.name === 'queued' || state.name === 'running' || state.name === 'paused';
}

/** Of the whole task, 0..1; null while it is unknown. The edit itself is nearly all of it. */
export function taskProgress({ state }: Task): number | null {
  const within = (from: number, to: number, share: number): number => from + (to - from) * share;
  switch (state.name) {
    case 'exporting':
      return state.progress === null ? null : within(0, 0.05, state.progress);
    case 'sending':
      return within(0.05, 0.1, share(state.sentBytes, state.sizeBytes));
    case 'queued':
      return 0.1;
    case 'running':
    case 'paused':
      return within(0.1, 0.95, state.progress?.progress ?? 0);
    case 'fetching':
      return within(0.95, 0.99, share(state.receivedBytes, state.sizeBytes));
    case 'placing':
      return 0.99;
    case 'done':
    case 'previewed':
    case 'unplaced':
      return 1;
    case 'dropped':
    case 'failed':
    case 'canceled':
      return null;
  }
}

const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);
