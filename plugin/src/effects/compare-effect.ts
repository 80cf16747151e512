// Fetches what a comparison shows: exact pictures of the frame that is looked at and of its neighbours, and for play the
// addresses of the videos, or, where videos cannot be played, smaller pictures (motion.ts). The number of requests and of
// pictures in memory is limited.

import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';
import { versionOf } from '../state/choices.ts';
import {
  originalFrame,
  pictureKey,
  playsVideos,
  sidesOf,
  wantedFrames,
  type Compared,
  type CompareState,
} from '../state/compare.ts';
import type { PanelState } from '../state/panel-state.ts';
import { createMotion } from './compare-motion.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

const maxSide = 960;
const atOnce = 4;
const maxPictures = 240;
/** Frames that are fetched before they are shown. */
const ahead = 4;
const slideRate = { numerator: 2, denominator: 1 };

export function startCompareEffect(deps: EffectDeps): StopEffect {
  const { client, store, pictures, host } = deps;
  const { dispatch } = store;
  let opened = new AbortController();
  let inFlight = 0;
  /** Videos that the page could not play once: their links may have expired. */
  let failedOnce = new Set<FrameSide>();
  let askedVideos = new Set<FrameSide>();
  const motion = createMotion(deps);

  const hasVideos = ({ host: { abilities } }: PanelState, compare: CompareState): boolean =>
    playsVideos(compare, abilities);

  const playsPictures = (state: PanelState): boolean =>
    state.compare?.isPlaying === true && !hasVideos(state, state.compare);

  async function open(jobId: string): Promise<void> {
    const { signal } = opened;
    try {
      const { clipId, report, settings } = await client.job(jobId, signal);
      if (report === null) return;
      const { frames, frameRate: clipRate, frameIndices, outputSize: size } = report;
      const rate = clipRate.numerator / clipRate.denominator;
      const firstFrame = Math.round((settings.startSeconds ?? 0) * rate);
      // Keyframes are far apart: they are shown as slides.
      const frameRate = settings.preview ? slideRate : clipRate;
      dispatch({
        type: 'compare-found',
        subject: { jobId, clipId, frames, frameRate, size, firstFrame, frameIndices },
      });
    } catch (error) {
      if (!isCancel(error)) dispatch({ type: 'compare-failed', problem: problemOf(error) });
    }
  }

  /** Ends the requests of the previous comparison, and frees its pictures. */
  function renew({ compare }: PanelState): void {
    opened.abort();
    opened = new AbortController();
    inFlight = 0;
    failedOnce = new Set();
    askedVideos = new Set();
    motion.renew(opened.signal);
    const made = [...Object.values(compare?.pictures ?? {}), ...Object.values(compare?.motion ?? {})];
    for (const picture of made) if (picture.name === 'ready') pictures.drop(picture.url);
  }

  function pump(): void {
    const { compare } = store.state;
    if (compare?.subject == null) return;
    if (hasVideos(store.state, compare)) askForVideos(compare);
    if (compare.isPlaying) {
      if (!hasVideos(store.state, compare)) motion.fetch(compare);
      return;
    }
    const wanted = wantedFrames(compare, ahead);
    for (const frameIndex of wanted) {
      for (const side of sidesOf(compare.mode)) {
        if (inFlight >= atOnce) return;
        if (compare.pictures[pictureKey(side, frameIndex)] === undefined) {
          void fetch(compare, side, frameIndex, opened.signal);
        }
      }
    }
    drop(compare, wanted);
  }

  function askForVideos({ mode, subject }: CompareState): void {
    for (const side of sidesOf(mode)) {
      if (askedVideos.has(side) || subject === null) continue;
      askedVideos.add(side);
      void askForVideo(subject.jobId, side, opened.signal);
    }
  }

  async function askForVideo(jobId: string, side: FrameSide, signal: AbortSignal): Promise<void> {
    dispatch({ type: 'video-changed', side, video: { name: 'asked' } });
    try {
      const { url } = await client.playback(jobId, side, signal);
      if (!signal.aborted) dispatch({ type: 'video-changed', side, video: { name: 'ready', url } });
    } catch (error) {
      if (isCancel(error) || signal.aborted) return;
      host.shell.log(`The video of ${side} could not be had: ${String(error)}`);
      dispatch({ type: 'video-changed', side, video: { name: 'missing' } });
    }
  }

  /** A link lasts some minutes; if a new one does not help, the browser cannot play what it leads to. */
  function answerFailure({ subject }: CompareState, side: FrameSide): void {
    if (subject === null) return;
    if (failedOnce.has(side)) {
      dispatch({ type: 'video-changed', side, video: { name: 'refused' } });
      return;
    }
    failedOnce.add(side);
    void askForVideo(subject.jobId, side, opened.signal);
  }

  async function fetch(
    { subject }: CompareState,
    side: FrameSide,
    frameIndex: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (subject === null) return;
    const { clipId, jobId } = subject;
    const id = side === 'original' ? clipId : jobId;
    inFlight += 1;
    dispatch({ type: 'picture-changed', side, frameIndex, picture: { name: 'asked' } });
    try {
      const at = side === 'original' ? originalFrame(subject, frameIndex) : frameIndex;
      const jpeg = await client.frame({ side, id, frameIndex: at, maxSide }, signal);
      if (signal.aborted) return;
      const picture = { name: 'ready', url: pictures.make(jpeg) } as const;
      dispatch({ type: 'picture-changed', side, frameIndex, picture });
    } catch (error) {
      if (isCancel(error) || signal.aborted) return;
      dispatch({ type: 'picture-changed', side, frameIndex, picture: { name: 'missing' } });
      dispatch({ type: 'compare-failed', problem: problemOf(error) });
    } finally {
      if (!signal.aborted) {
        inFlight -= 1;
        pump();
      }
    }
  }

  /** Frees the pictures that are farthest from the shown ones. */
  function drop(compare: CompareState, wanted: readonly number[]): void {
    const ready = Object.entries(compare.pictures).filter(([, picture]) => picture.name === 'ready');
    if (ready.length <= maxPictures) return;
    const isWanted = (key: string): boolean =>
      wanted.some((index) => sidesOf(compare.mode).some((side) => pictureKey(side, index) === key));
    const spare = ready.filter(([key]) => !isWanted(key)).slice(0, ready.length - maxPictures);
    dispatch({ type: 'pictures-dropped', keys: spare.map(([key]) => key) });
    for (const [, picture] of spare) if (picture.name === 'ready') pictures.drop(picture.url);
  }

  const stopListening = store.subscribe((event, state, before) => {
    if (state.compare?.about !== before.compare?.about) {
      renew(before);
      const jobId = state.compare === null ? null : jobOf(state.compare.about, state);
      if (jobId !== null) {
        open(jobId).catch((error: unknown) => host.shell.log(String(error)));
      }
    }
    const { compare } = state;
    if (event.type === 'video-failed' && compare !== null) answerFailure(compare, event.side);
    if (compare === before.compare || event.type === 'picture-changed') return;
    if (compare !== null && playsPictures(state) && !playsPictures(before)) motion.begin();
    pump();
  });
  return () => {
    stopListening();
    opened.abort();
    motion.stop();
  };
}

function jobOf(about: Compared, { edits }: PanelState): string | null {
  if (about.kind === 'preview') return about.jobId;
  const edit = edits.find(({ editId }) => editId === about.editId) ?? null;
  return versionOf(edit, about.version)?.recipe.jobId ?? null;
}
