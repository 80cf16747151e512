// The selection, as plain values: nothing here holds an object of the host, so a snapshot can be kept in a
// file and compared with the timeline later.

import type { OutputCodec } from '../../../protocol/codecs.ts';
import type { PixelSize, Rational } from '../../../protocol/media-facts.ts';
import type { Ticks } from './ticks.ts';

/** A clip on a timeline, as it was when it was read. */
export interface TimelineSnapshot {
  readonly kind: 'timeline';
  readonly projectId: string;
  readonly sequenceId: string;
  readonly sequenceName: string;
  /** 0 for V1. */
  readonly trackIndex: number;
  /** Its position in the sequence. */
  readonly start: Ticks;
  readonly end: Ticks;
  /** What it shows of its media, from the media's first frame on. */
  readonly inPoint: Ticks;
  readonly outPoint: Ticks;
  /** Length of a frame of the sequence. */
  readonly ticksPerFrame: Ticks;
  readonly itemId: string;
  readonly mediaPath: string;
  /** 1 is as recorded. */
  readonly speed: number;
  readonly isReversed: boolean;
}

/** A file that was dropped or picked; the host finds it again by `fileId` until the page is closed. */
export interface FileSnapshot {
  readonly kind: 'file';
  readonly fileId: string;
  readonly fileName: string;
  readonly sizeBytes: number;
  /** The range to edit; null for the file's own ends. */
  readonly startSeconds: number | null;
  readonly endSeconds: number | null;
}

export type ClipSnapshot = TimelineSnapshot | FileSnapshot;

/** A fact about an editable clip that the user should know. */
export const clipWarnings = [
  'nested', // a sequence within the sequence: edited as it looks
  'multicam',
  'merged',
  'reversed',
  'speed', // another speed than recorded, or time remapping
  'proxy', // the export uses the full-size media
  'rate-differs', // the media's frame rate is not the sequence's
  'disabled',
] as const;
export type ClipWarning = (typeof clipWarnings)[number];

/** `rendered`: as it looks on the timeline, effects included. `source`: the media file itself. */
export const exportModes = ['rendered', 'source'] as const;
export type ExportMode = (typeof exportModes)[number];

export interface SelectedClip {
  /** Equal for the same piece of the same clip at the same place. */
  readonly key: string;
  readonly name: string;
  readonly snapshot: ClipSnapshot;
  /** Null where only the server can count them. */
  readonly frames: number | null;
  /** Of the sequence, or of the file where it is known. */
  readonly frameRate: Rational | null;
  readonly size: PixelSize | null;
  readonly warnings: readonly ClipWarning[];
  /** Which modes can be used, the default first; never empty. */
  readonly modes: readonly ExportMode[];
  /** The codec that its sequence is set to; null or left out where that is none of ours, or not told. */
  readonly sequenceCodec?: OutputCodec | null;
  /** Video track above that is free for the result, 0 for V1; null where there is no timeline. */
  readonly freeTrackIndex: number | null;
  /** Set when the selected clip is itself a result of an edit. */
  readonly edit: { readonly editId: string; readonly version: number } | null;
}

/** Why something that is selected cannot be edited. */
export const rejectionReasons = [
  'audio-only',
  'adjustment-layer',
  'offline',
  'no-media', // title, graphic, colour matte
  'no-project-item',
  'transition',
  'off-frame', // its ends are not on frames of the sequence
  'too-short', // one frame cannot be edited reliably
  'no-free-track',
  'unreadable', // the host gave no answer
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

export interface RejectedItem {
  readonly name: string;
  readonly reason: RejectionReason;
}

/** Why there is nothing to edit when no selected item can be named. */
export type EmptyReason = 'no-project' | 'no-sequence' | 'nothing-selected';

export interface SelectionReading {
  readonly project: { readonly id: string; readonly name: string } | null;
  readonly sequence: { readonly id: string; readonly name: string } | null;
  /** In the order of their start, lower tracks first. */
  readonly clips: readonly SelectedClip[];
  readonly rejected: readonly RejectedItem[];
  /** Null when something is selected. */
  readonly empty: EmptyReason | null;
}
