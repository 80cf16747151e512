// What is compared, how, and which pictures are loaded.

import type { PixelSize, Rational } from '../../../protocol/media-facts.ts';
import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';
import type { Problem } from './problem.ts';

/** `flip` shows one of the two at a time. `difference` and `flicker` are maps that the server makes from both. */
export const compareModes = ['wipe', 'side', 'flip', 'difference', 'flicker'] as const;
export type CompareMode = (typeof compareModes)[number];

const bothSides: readonly FrameSide[] = ['original', 'edit'];

/** The pictures of a frame that a mode shows. */
export function sidesOf(mode: CompareMode): readonly FrameSide[] {
  return mode === 'difference' || mode === 'flicker' ? [mode] : bothSides;
}

/** An object URL of a JPEG, or the state of its request. */
export type Picture = { readonly name: 'ready'; readonly url: string } | { readonly name: 'asked' | 'missing' };

/** What is compared with the original. */
export type Compared =
  | { readonly kind: 'version'; readonly editId: string; readonly version: number }
  | { readonly kind: 'preview'; readonly key: string; readonly jobId: string };

export interface CompareState {
  /** The same object as long as the same opening of the comparison lasts. */
  readonly about: Compared;
  /** Null until the server has sent the facts about the job. */
  readonly subject: CompareSubject | null;
  readonly mode: CompareMode;
  /** Which side `flip` shows. */
  readonly shown: 'original' | 'edit';
  /** From 0, within the edit. */
  readonly frameIndex: number;
  readonly isPlaying: boolean;
  /** Position of the divider of the wipe, 0..1 from the left. The edit is on its right. */
  readonly divider: number;
  readonly pictures: Readonly<Record<string, Picture>>;
  readonly problem: Problem | null;
}

export interface CompareSubject {
  readonly jobId: string;
  readonly clipId: string;
  readonly frames: number;
  readonly frameRate: Rational;
  readonly size: PixelSize;
  /** Frame of the clip at the in point. */
  readonly firstFrame: number;
  /** Of a preview: the frame that each of its frames shows, counted from the in point. Otherwise null. */
  readonly frameIndices: readonly number[] | null;
}

/** The frame of the clip with which the frame `frameIndex` of an edit is compared. */
export function originalFrame(
  { firstFrame, frameIndices }: Pick<CompareSubject, 'firstFrame' | 'frameIndices'>,
  frameIndex: number,
): number {
  return firstFrame + (frameIndices?.[frameIndex] ?? frameIndex);
}

export function pictureKey(side: FrameSide, frameIndex: number): string {
  return `${side}-${frameIndex}`;
}

export function pictureUrl({ pictures }: CompareState, side: FrameSide, frameIndex: number): string | null {
  const picture = pictures[pictureKey(side, frameIndex)];
  return picture?.name === 'ready' ? picture.url : null;
}

/** Frames that are to be fetched next: the one that is shown, then what play will show. */
export function wantedFrames(compare: CompareState, ahead: number): readonly number[] {
  const frames = compare.subject?.frames ?? 0;
  const wanted: number[] = [];
  const want = (index: number): void => {
    if (index >= 0 && index < frames && !wanted.includes(index)) wanted.push(index);
  };
  want(compare.frameIndex);
  for (let step = 1; step <= ahead; step += 1) want((compare.frameIndex + step) % Math.max(1, frames));
  return wanted;
}
