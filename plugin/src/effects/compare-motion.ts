// Play without videos: pictures of the panel's size, many in one request, kept in memory, shown by a clock. A frame whose
// picture is late is waited for; one that is too late to be shown in time is skipped.

import { maxFramesAtOnce } from '../../../protocol/limits.ts';
import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';
import {
  originalFrame,
  pictureKey,
  playsVideos,
  shownUrl,
  sidesOf,
  type CompareState,
  type CompareSubject,
  type Picture,
} from '../state/compare.ts';
import type { EffectDeps } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

/** Twice the width of a narrow panel. */
const maxSide = 480;
/** Frames in one request: the first ones soon, then as many as make the way worth it. */
const batches = { first: 8, next: 32 } as const;
/** Frames that are fetched before they are shown. */
const ahead = 96;
/** About 20 MB. A clip that has more frames is fetched again in each round. */
const maxPictures = 1_000;
/** A panel cannot draw faster than this, and UXP's timers are not more precise. */
const shortestTickMs = 40;

export interface Motion {
  /** Play begins. */
  begin(): void;
  /** Requests what play will show next. */
  fetch(compare: CompareState): void;
  /** Another comparison is opened, whose requests end with `signal`. */
  renew(signal: AbortSignal): void;
  stop(): void;
}

export function createMotion({ client, store, clock, pictures }: EffectDeps): Motion {
  const { dispatch } = store;
  let signal = new AbortController().signal;
  let cancelTick: () => void = () => undefined;
  const inFlight = new Set<FrameSide>();
  /** When which frame was shown: the frames that follow are due from it on. */
  let shown = { atMs: 0, frameIndex: 0 };

  function fetch(compare: CompareState): void {
    const { subject } = compare;
    if (subject === null) return;
    for (const side of sidesOf(compare.mode)) {
      if (inFlight.has(side)) continue;
      const first = firstMissing(compare, side, subject.frames);
      if (first === null) continue;
      const isBegin = compare.motion[pictureKey(side, compare.frameIndex)]?.name !== 'ready';
      const most = Math.min(isBegin ? batches.first : batches.next, maxFramesAtOnce, subject.frames - first);
      void fetchBatch(subject, side, first, Math.max(1, most));
    }
    drop(compare);
  }

  /** The next frame of the round that has no picture yet. */
  function firstMissing({ frameIndex, motion }: CompareState, side: FrameSide, frames: number): number | null {
    for (let step = 0; step <= Math.min(ahead, frames - 1); step += 1) {
      const index = (frameIndex + step) % frames;
      if (motion[pictureKey(side, index)] === undefined) return index;
    }
    return null;
  }

  async function fetchBatch(subject: CompareSubject, side: FrameSide, first: number, count: number): Promise<void> {
    const own = signal;
    inFlight.add(side);
    try {
      const jpegs = await fetchJpegs(subject, side, first, count, own);
      if (own.aborted) return;
      const come = jpegs.map((jpeg, at): [number, Picture] => [
        first + at,
        { name: 'ready', url: pictures.make(jpeg) },
      ]);
      // A server that has none for a frame has none the next time either.
      const all = come.length > 0 ? come : [[first, { name: 'missing' } as const] as const];
      inFlight.delete(side);
      dispatch({ type: 'motion-changed', side, pictures: Object.fromEntries(all) });
    } catch (error) {
      if (isCancel(error) || own.aborted) return;
      inFlight.delete(side);
      dispatch({ type: 'compare-failed', problem: problemOf(error) });
    }
  }

  /** A preview has no video to take its frames from; it has few frames. */
  async function fetchJpegs(
    subject: CompareSubject,
    side: FrameSide,
    first: number,
    count: number,
    own: AbortSignal,
  ): Promise<readonly Uint8Array[]> {
    const { jobId, clipId, frameIndices } = subject;
    if (frameIndices === null) return client.frames({ side, jobId, firstFrame: first, frames: count, maxSide }, own);
    const id = side === 'original' ? clipId : jobId;
    const frameIndex = side === 'original' ? originalFrame(subject, first) : first;
    return [await client.frame({ side, id, frameIndex, maxSide }, own)];
  }

  /** Frees pictures of frames that were shown, the ones that are due again last. */
  function drop({ motion, frameIndex, subject }: CompareState): void {
    const ready = Object.entries(motion).filter(([, { name }]) => name === 'ready');
    if (subject === null || ready.length <= maxPictures) return;
    const dueIn = (key: string): number =>
      (Number(key.slice(key.lastIndexOf('-') + 1)) - frameIndex + subject.frames) % subject.frames;
    const latest = ready.sort(([a], [b]) => dueIn(b) - dueIn(a)).slice(0, ready.length - maxPictures);
    dispatch({ type: 'motion-dropped', keys: latest.map(([key]) => key) });
    for (const [, picture] of latest) if (picture.name === 'ready') pictures.drop(picture.url);
  }

  function tick(): void {
    const { compare, host } = store.state;
    if (compare?.subject == null || !compare.isPlaying || playsVideos(compare, host.abilities)) return;
    const { frameRate, frames } = compare.subject;
    const frameMs = (1000 * frameRate.denominator) / frameRate.numerator;
    cancelTick();
    const next = nextFrame(compare, frames, frameMs);
    if (next === 'end') {
      dispatch({ type: 'play-ended' });
      return;
    }
    if (next !== null) dispatch({ type: 'played-to', frameIndex: next });
    cancelTick = clock.after(Math.max(shortestTickMs, frameMs), tick);
  }

  /** The frame that is due; null while its picture has not come. */
  function nextFrame(compare: CompareState, frames: number, frameMs: number): number | 'end' | null {
    const now = clock.now();
    const isHere = (index: number): boolean =>
      sidesOf(compare.mode).every((side) => shownUrl(compare, side, index) !== null);
    // A timer that fires a little early must not hold a frame back.
    const due = shown.frameIndex + Math.max(1, Math.floor((now - shown.atMs) / frameMs + 0.2));
    if (due >= frames && !compare.isLooping) return compare.frameIndex < frames - 1 ? frames - 1 : 'end';
    for (const index of [due % frames, (compare.frameIndex + 1) % frames]) {
      if (!isHere(index)) continue;
      if (index !== due % frames || due >= frames) shown = { atMs: now, frameIndex: index };
      return index;
    }
    shown = { atMs: now, frameIndex: compare.frameIndex };
    return null;
  }

  return {
    begin() {
      shown = { atMs: clock.now(), frameIndex: store.state.compare?.frameIndex ?? 0 };
      tick();
    },
    fetch,
    renew(next) {
      signal = next;
      inFlight.clear();
      cancelTick();
    },
    stop: () => cancelTick(),
  };
}
