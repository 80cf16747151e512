// Fetches the pictures of a comparison: first the ones that are shown, then the ones that play will need. The number of
// requests and of pictures in memory is limited.

import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';
import { versionOf } from '../state/choices.ts';
import {
  originalFrame,
  pictureKey,
  pictureUrl,
  sidesOf,
  wantedFrames,
  type Compared,
  type CompareState,
} from '../state/compare.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

const maxSide = 960;
const atOnce = 4;
const maxPictures = 240;
/** Frames that are fetched before they are shown, while playing and while not. */
const ahead = { playing: 24, still: 4 };
/** A panel cannot draw faster than this, and UXP's timers are not more precise. */
const shortestTickMs = 40;
const slideRate = { numerator: 2, denominator: 1 };

export function startCompareEffect({ client, store, clock, pictures, host }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let opened = new AbortController();
  let inFlight = 0;
  let cancelTick: () => void = () => undefined;

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
    cancelTick();
    for (const picture of Object.values(compare?.pictures ?? {})) {
      if (picture.name === 'ready') pictures.drop(picture.url);
    }
  }

  function pump(): void {
    const { compare } = store.state;
    if (compare?.subject == null) return;
    const wanted = wantedFrames(compare, compare.isPlaying ? ahead.playing : ahead.still);
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

  function tick(): void {
    const { compare } = store.state;
    if (compare?.subject == null || !compare.isPlaying) return;
    const { frames, frameRate } = compare.subject;
    const next = (compare.frameIndex + 1) % frames;
    const isReady = sidesOf(compare.mode).every((side) => pictureUrl(compare, side, next) !== null);
    if (isReady) dispatch({ type: 'play-ticked' });
    const frameMs = (1000 * frameRate.denominator) / frameRate.numerator;
    cancelTick();
    cancelTick = clock.after(Math.max(shortestTickMs, frameMs), tick);
  }

  const stopListening = store.subscribe((event, state, before) => {
    if (state.compare?.about !== before.compare?.about) {
      renew(before);
      const jobId = state.compare === null ? null : jobOf(state.compare.about, state);
      if (jobId !== null) {
        open(jobId).catch((error: unknown) => host.shell.log(String(error)));
      }
    }
    if (state.compare === before.compare || event.type === 'picture-changed') return;
    if (state.compare?.isPlaying === true && before.compare?.isPlaying !== true) tick();
    pump();
  });
  return () => {
    stopListening();
    opened.abort();
    cancelTick();
  };
}

function jobOf(about: Compared, { edits }: PanelState): string | null {
  if (about.kind === 'preview') return about.jobId;
  const edit = edits.find(({ editId }) => editId === about.editId) ?? null;
  return versionOf(edit, about.version)?.recipe.jobId ?? null;
}
