// What is compared, how, and which pictures and videos are loaded.

import type { PixelSize, Rational } from '../../../protocol/media-facts.ts';
import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';
import type { AbilityName } from '../host/host.ts';
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

/** The address of a side's video, or the state of its request. `refused`: the browser cannot play it. */
export type Video =
  { readonly name: 'ready'; readonly url: string } | { readonly name: 'asked' | 'missing' | 'refused' };

/** How much of a picture is seen. */
export interface Zoom {
  /** 1: all of it. */
  readonly scale: number;
  /** Left and upper edge of the picture in shares of the frame, from `1 - scale` to 0. */
  readonly left: number;
  readonly top: number;
}

export const wholePicture: Zoom = { scale: 1, left: 0, top: 0 };
export const maxZoom = 8;

/** The zoom after a change of its scale that keeps the point (x, y) of the frame, in shares of it, where it is. */
export function zoomAt({ scale, left, top }: Zoom, factor: number, x: number, y: number): Zoom {
  const next = Math.min(maxZoom, Math.max(1, scale * factor));
  const move = (edge: number, point: number): number => point - ((point - edge) * next) / scale;
  return within({ scale: next, left: move(left, x), top: move(top, y) });
}

/** The zoom after the picture was moved by shares of the frame. */
export function panBy(zoom: Zoom, dx: number, dy: number): Zoom {
  return within({ ...zoom, left: zoom.left + dx, top: zoom.top + dy });
}

/** No edge of the picture comes into the frame. */
function within({ scale, left, top }: Zoom): Zoom {
  const inside = (edge: number): number => Math.min(0, Math.max(1 - scale, edge));
  return { scale, left: inside(left), top: inside(top) };
}

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
  /** Whether play begins again at the end. */
  readonly isLooping: boolean;
  readonly zoom: Zoom;
  /** Position of the divider of the wipe, 0..1 from the left. The edit is on its right. */
  readonly divider: number;
  /** Exact ones, of the server's own frames. */
  readonly pictures: Readonly<Record<string, Picture>>;
  /** Smaller ones, which play where videos cannot. */
  readonly motion: Readonly<Record<string, Picture>>;
  readonly videos: Readonly<Partial<Record<FrameSide, Video>>>;
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

/** The exact picture; where there is none yet the one of the motion, and that one first while it moves. */
export function shownUrl(compare: CompareState, side: FrameSide, frameIndex: number): string | null {
  const moving = compare.motion[pictureKey(side, frameIndex)];
  const movingUrl = moving?.name === 'ready' ? moving.url : null;
  const exact = pictureUrl(compare, side, frameIndex);
  return compare.isPlaying ? (movingUrl ?? exact) : (exact ?? movingUrl);
}

/** Whether the comparison plays videos; else it plays pictures, as fast as they come. */
export function playsVideos({ about, videos }: CompareState, abilities: readonly AbilityName[]): boolean {
  if (about.kind === 'preview' || !abilities.includes('video')) return false;
  return !Object.values(videos).some(({ name }) => name === 'refused' || name === 'missing');
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
