// The events of the panel. First the actions of the user, then their results. Effects listen to the former and report the
// latter; nothing else changes the state.

import type { Check } from '../../../protocol/diagnostics.ts';
import type { EditReport } from '../../../protocol/edit-report.ts';
import type { Estimate } from '../../../protocol/estimate.ts';
import type { JobView, QueuePosition } from '../../../protocol/job.ts';
import type { MediaFacts } from '../../../protocol/media-facts.ts';
import type { EditProgress } from '../../../protocol/progress.ts';
import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';
import type { ModelLists, StorageFacts } from '../../../protocol/messages/session-messages.ts';
import type { Licence } from '../../../protocol/messages/model-messages.ts';
import type { ModelDownload, OfferKind } from '../../../protocol/model-offers.ts';
import type { SampleInfo } from '../../../protocol/vocabulary.ts';
import type { LinkState } from '../../../protocol/client/link-state.ts';
import type { PlacedEdit } from '../host/edits.ts';
import type { Notifications, Theme } from '../host/host.ts';
import type { ExportMode, SelectionReading } from '../host/selection.ts';
import type { CompareMode, CompareSubject, Picture, Video } from './compare.ts';
import type { EditForm } from './form.ts';
import type { OfferedLora } from './loras.ts';
import type { HistoryEntry, Overlay, Throughput, Page, ToastText } from './panel-state.ts';
import type { ListKind } from './model-list.ts';
import type { Preset } from './presets.ts';
import type { Problem } from './problem.ts';
import type { Place, RegionChange, RegionStill } from './region.ts';
import type { Task, TaskState } from './task.ts';

/** Actions of the user. */
export type Action =
  | { readonly type: 'page-chosen'; readonly page: Page }
  | { readonly type: 'code-entered'; readonly code: string }
  | { readonly type: 'retry-pressed' }
  /** Asks the system to start the background app. */
  | { readonly type: 'start-pressed' }
  | { readonly type: 'commands-toggled' }
  | { readonly type: 'refresh-pressed' }
  | { readonly type: 'copy-pressed'; readonly text: string }
  | { readonly type: 'form-changed'; readonly change: Partial<EditForm> }
  | { readonly type: 'advanced-toggled' }
  | { readonly type: 'export-mode-chosen'; readonly mode: ExportMode }
  | { readonly type: 'seed-rolled'; readonly seed: number }
  | { readonly type: 'preset-chosen'; readonly id: string }
  | { readonly type: 'preset-saved'; readonly id: string; readonly name: string }
  | { readonly type: 'preset-removed'; readonly id: string }
  | { readonly type: 'presets-import-pressed' }
  | { readonly type: 'presets-export-pressed' }
  | { readonly type: 'history-chosen'; readonly entry: HistoryEntry }
  /** Where the edit may change the clip. */
  | { readonly type: 'region-changed'; readonly change: RegionChange }
  | { readonly type: 'region-frame-chosen'; readonly frame: number }
  /** A shape that was drawn with the pointer. */
  | { readonly type: 'region-drawn'; readonly places: readonly Place[] }
  /** One more corner of a shape, or a dab of the brush. */
  | { readonly type: 'region-place-added'; readonly place: Place }
  | { readonly type: 'region-closed' }
  | { readonly type: 'region-undone' }
  | { readonly type: 'region-cleared' }
  /** Asks for a still of a clip that is not on the server yet. */
  | { readonly type: 'region-still-pressed' }
  | { readonly type: 'apply-pressed' }
  | { readonly type: 'preview-pressed' }
  /** Goes on although the practice model does not know the clip or the words. */
  | { readonly type: 'practice-accepted' }
  /** Opens the list of models that can be downloaded. */
  | { readonly type: 'get-model-pressed' }
  /** Takes a sample clip of the practice model; null for the first one. */
  | { readonly type: 'sample-pressed'; readonly name: string | null }
  | { readonly type: 'preview-dismissed' }
  /** Opens the comparison at one of the preview's frames, counted from 0. */
  | { readonly type: 'preview-frame-chosen'; readonly index: number }
  | { readonly type: 'rerun-dropped' }
  | { readonly type: 'task-cancel-pressed'; readonly key: string }
  | { readonly type: 'task-pause-pressed'; readonly key: string }
  | { readonly type: 'task-resume-pressed'; readonly key: string }
  | { readonly type: 'task-retry-pressed'; readonly key: string }
  | { readonly type: 'task-place-anyway-pressed'; readonly key: string }
  | { readonly type: 'task-pick-preset-pressed'; readonly key: string }
  | { readonly type: 'task-dismissed'; readonly key: string }
  | { readonly type: 'finished-dismissed' }
  | { readonly type: 'edit-chosen'; readonly editId: string }
  | { readonly type: 'compare-opened'; readonly editId: string; readonly version: number }
  | { readonly type: 'compare-mode-chosen'; readonly mode: CompareMode }
  | { readonly type: 'compare-flipped' }
  | { readonly type: 'divider-moved'; readonly divider: number }
  | { readonly type: 'frame-chosen'; readonly frameIndex: number }
  | { readonly type: 'play-toggled' }
  | { readonly type: 'loop-toggled' }
  /** Makes the picture larger or smaller by a factor, at a point of the frame in shares of its sides. */
  | { readonly type: 'zoomed'; readonly factor: number; readonly x: number; readonly y: number }
  | { readonly type: 'panned'; readonly dx: number; readonly dy: number }
  | { readonly type: 'zoom-ended' }
  | { readonly type: 'version-chosen'; readonly editId: string; readonly version: number }
  | { readonly type: 'rerun-pressed'; readonly editId: string; readonly version: number }
  | { readonly type: 'revert-pressed'; readonly editId: string }
  | { readonly type: 'show-toggled'; readonly editId: string }
  | { readonly type: 'original-pressed'; readonly editId: string }
  | { readonly type: 'save-pressed'; readonly editId: string; readonly version: number }
  | { readonly type: 'forget-confirmed'; readonly editId: string; readonly version: number }
  | { readonly type: 'unpair-confirmed' }
  | { readonly type: 'log-pressed' }
  | { readonly type: 'overlay-opened'; readonly overlay: Overlay }
  | { readonly type: 'overlay-closed' }
  | { readonly type: 'model-list-chosen'; readonly kind: ListKind }
  | { readonly type: 'model-list-filtered'; readonly filter: string }
  /** Begins or continues a download; a new one asks about the licence first. */
  | { readonly type: 'model-download-pressed'; readonly modelId: string }
  /** `sha256` is of the licence that was shown. */
  | { readonly type: 'licence-accepted'; readonly modelId: string; readonly sha256: string }
  | { readonly type: 'licence-declined' }
  | { readonly type: 'model-pause-pressed'; readonly modelId: string }
  | { readonly type: 'model-cancel-pressed'; readonly modelId: string }
  | { readonly type: 'model-remove-confirmed'; readonly kind: OfferKind; readonly name: string }
  | { readonly type: 'toast-closed'; readonly id: number };

/** Results of actions, and events without an action. */
export type Result =
  | { readonly type: 'link-changed'; readonly link: LinkState }
  /** The app has not answered in time, or the host refused to start it. */
  | { readonly type: 'start-failed' }
  | { readonly type: 'loras-listed'; readonly loras: readonly OfferedLora[] }
  | { readonly type: 'theme-changed'; readonly theme: Theme }
  | { readonly type: 'selection-reading' }
  | { readonly type: 'selection-read'; readonly selection: SelectionReading }
  | { readonly type: 'kept-read'; readonly kept: PersistedState }
  | { readonly type: 'history-read'; readonly history: readonly HistoryEntry[] }
  | { readonly type: 'history-added'; readonly entry: HistoryEntry }
  | { readonly type: 'presets-imported'; readonly presets: readonly Preset[] }
  | {
      readonly type: 'prepare-progress';
      readonly sourceId: string;
      readonly sentBytes: number;
      readonly sizeBytes: number;
    }
  | {
      readonly type: 'prepare-done';
      readonly sourceId: string;
      readonly clipId: string;
      readonly sha256: string;
      readonly media: MediaFacts;
    }
  | { readonly type: 'prepare-failed'; readonly sourceId: string; readonly problem: Problem }
  | { readonly type: 'estimate-asked' }
  | {
      readonly type: 'estimate-known';
      readonly estimate: Estimate;
      readonly previewSeconds: number | null;
    }
  | { readonly type: 'estimate-guessed'; readonly seconds: number }
  | { readonly type: 'estimate-failed'; readonly problem: Problem }
  | { readonly type: 'estimate-none' }
  | { readonly type: 'throughput-measured'; readonly key: string; readonly throughput: Throughput }
  | { readonly type: 'region-still-changed'; readonly still: RegionStill }
  | { readonly type: 'task-added'; readonly task: Task }
  | { readonly type: 'task-moved'; readonly key: string; readonly state: TaskState }
  | {
      readonly type: 'task-sent';
      readonly key: string;
      readonly clipId: string;
      readonly media: MediaFacts;
    }
  | { readonly type: 'task-taken'; readonly key: string; readonly jobId: string }
  | { readonly type: 'task-canceling'; readonly key: string }
  /** The server has answered to a pause or a resume, or refused it. */
  | { readonly type: 'task-order-ended'; readonly key: string }
  | { readonly type: 'task-reported'; readonly key: string; readonly report: EditReport }
  | { readonly type: 'job-told'; readonly job: JobView }
  | { readonly type: 'jobs-moved'; readonly positions: readonly QueuePosition[] }
  | { readonly type: 'job-progress'; readonly jobId: string; readonly progress: EditProgress }
  /** What a running job looks like so far; null when that is not needed any more. */
  | { readonly type: 'job-pictured'; readonly jobId: string; readonly url: string | null }
  | { readonly type: 'thumbnail-changed'; readonly jobId: string; readonly url: string | null }
  | { readonly type: 'notifications-answered'; readonly notifications: Notifications }
  | { readonly type: 'edits-read'; readonly edits: readonly PlacedEdit[] }
  | { readonly type: 'edit-changed'; readonly edit: PlacedEdit }
  /** Its file is gone, here and on the server. */
  | { readonly type: 'version-deleted' }
  | { readonly type: 'storage-read'; readonly storage: StorageFacts }
  | { readonly type: 'shown-read'; readonly isShown: boolean | null }
  | { readonly type: 'compare-found'; readonly subject: CompareSubject }
  | { readonly type: 'compare-failed'; readonly problem: Problem }
  | {
      readonly type: 'picture-changed';
      readonly side: FrameSide;
      readonly frameIndex: number;
      readonly picture: Picture;
    }
  | { readonly type: 'pictures-dropped'; readonly keys: readonly string[] }
  | {
      readonly type: 'motion-changed';
      readonly side: FrameSide;
      readonly pictures: Readonly<Record<number, Picture>>;
    }
  | { readonly type: 'motion-dropped'; readonly keys: readonly string[] }
  | { readonly type: 'video-changed'; readonly side: FrameSide; readonly video: Video }
  /** The page could not play a video that the server has. */
  | { readonly type: 'video-failed'; readonly side: FrameSide }
  | {
      readonly type: 'preview-frame-changed';
      /** Of the preview's task. */
      readonly key: string;
      readonly side: FrameSide;
      readonly index: number;
      readonly picture: Picture;
    }
  /** Play shows this frame. */
  | { readonly type: 'played-to'; readonly frameIndex: number }
  | { readonly type: 'play-ended' }
  | { readonly type: 'models-read'; readonly lists: ModelLists }
  | { readonly type: 'models-failed'; readonly problem: Problem }
  | { readonly type: 'downloads-told'; readonly downloads: readonly ModelDownload[] }
  | { readonly type: 'licence-read'; readonly licence: Licence }
  | { readonly type: 'licence-failed'; readonly problem: Problem }
  /** A download is done, and the model can be used. */
  | { readonly type: 'model-arrived'; readonly modelId: string }
  /** A sample clip has been taken as the clip to edit. */
  | { readonly type: 'sample-taken'; readonly modelId: string; readonly sample: SampleInfo }
  | { readonly type: 'diagnosed'; readonly checks: readonly Check[] }
  | { readonly type: 'diagnosis-failed'; readonly problem: Problem }
  | { readonly type: 'toast-raised'; readonly text: ToastText; readonly problem: Problem | null };

export type PanelEvent = Action | Result;

/** The stored state, which outlives the panel. */
export interface PersistedState {
  readonly presets: readonly Preset[];
  readonly tasks: readonly Task[];
  readonly throughputs: Readonly<Record<string, Throughput>>;
  readonly form: Partial<EditForm>;
}
