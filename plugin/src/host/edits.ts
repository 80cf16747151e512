// The edits of one place on the timeline: the original, its versions, and which of them is visible. The host keeps
// a record of each beside the timeline, so that project and record travel together.

import type { EditSettings } from '../../../protocol/edit-settings.ts';
import type { Rational } from '../../../protocol/media-facts.ts';
import type { ClipSnapshot } from './selection.ts';
import type { Ticks } from './ticks.ts';

/** How a version was made. */
export interface Recipe {
  readonly jobId: string;
  readonly settings: EditSettings;
  /** Id of the model. */
  readonly model: string;
  /** UTC, as 2026-11-22T19:20:08Z. */
  readonly createdAt: string;
}

export interface EditVersion {
  /** From 1 on. */
  readonly version: number;
  readonly recipe: Recipe;
  /** The result as the host knows it: an item of the project, or a file of the page. */
  readonly resultId: string;
  /** The path of the file; null where files have no path. */
  readonly path: string | null;
}

export interface PlacedEdit {
  readonly editId: string;
  /** The clip that was edited. */
  readonly original: ClipSnapshot;
  readonly originalName: string;
  /** The position of the result; null where there is no timeline. */
  readonly place: {
    readonly sequenceId: string;
    readonly trackIndex: number;
    readonly start: Ticks;
    readonly end: Ticks;
  } | null;
  readonly versions: readonly EditVersion[];
  /** The version on the timeline; null after a revert. */
  readonly placed: number | null;
}

/** A result on this machine that is not yet imported into the project. */
export interface ResultFile {
  /** For the host; a path in Premiere, an object URL in a browser. */
  readonly location: string;
  readonly name: string;
  readonly sizeBytes: number;
}

/** A result that is imported into the project. */
export interface ImportedResult {
  readonly resultId: string;
  readonly path: string | null;
}

/** What the server has written into a result. */
export interface WrittenFacts {
  readonly frames: number;
  readonly frameRate: Rational;
  /** The timecode of the first frame, as the number of frames from 00:00:00:00 on; null without one. */
  readonly timecodeFrames: number | null;
  readonly hasAlpha: boolean;
}

export interface PlaceRequest {
  readonly original: ClipSnapshot;
  readonly originalName: string;
  readonly result: ImportedResult;
  readonly recipe: Recipe;
  /** Whether the result has sound, as the server found; null when that is not known. */
  readonly hasAudio: boolean | null;
  /** The edit of which this is a new version; null for a new edit. */
  readonly editId: string | null;
  /** Place the result where the clip was, even if the timeline has changed there. */
  readonly evenIfChanged: boolean;
}
