// Stills of the clip to draw a region on. A file is on the server before Apply; a clip of a timeline is exported and sent when
// the user asks for a still of it.

import { modeOf, sourceIdOf } from '../state/choices.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import type { KeptUploads } from './cached-uploads.ts';
import { isCancel, problemOf } from './problem-of.ts';

/** Pixels of its longer side. */
const maxSide = 640;

interface Wanted {
  readonly clipId: string;
  readonly frame: number;
}

export function startRegionStillEffect(
  { client, store, pictures, host }: EffectDeps,
  uploads: Pick<KeptUploads, 'send'>,
): StopEffect {
  const { dispatch } = store;
  let asked: (Wanted & { readonly stop: AbortController }) | null = null;
  let sending: { readonly sourceId: string; readonly stop: AbortController } | null = null;
  let shownUrl: string | null = null;

  function wantedOf({ region, selection, prepared, link }: PanelState): Wanted | null {
    const clip = selection?.clips[0];
    const isDrawing =
      (region.kind === 'drawn' || region.kind === 'painted') && link.name === 'online' && clip !== undefined;
    if (!isDrawing || prepared?.clip == null || prepared.sourceId !== sourceIdOf(clip)) return null;
    return { clipId: prepared.clip.clipId, frame: Math.min(region.frame, prepared.clip.media.frameCount - 1) };
  }

  async function fetch({ clipId, frame }: Wanted, { signal }: AbortController): Promise<void> {
    try {
      const jpeg = await client.frame({ side: 'original', id: clipId, frameIndex: frame, maxSide }, signal);
      if (signal.aborted) return;
      const before = shownUrl;
      shownUrl = pictures.make(jpeg);
      dispatch({ type: 'region-still-changed', still: { name: 'shown', clipId, frame, url: shownUrl } });
      if (before !== null) pictures.drop(before);
    } catch (error) {
      // What was asked for stays asked for: this event would else ask again, and again.
      if (!signal.aborted && !isCancel(error)) fail(error);
    }
  }

  async function send(state: PanelState): Promise<void> {
    const clip = state.selection?.clips[0];
    if (clip?.snapshot.kind !== 'timeline') return;
    const [sourceId, mode, stop] = [sourceIdOf(clip), modeOf(state, clip), new AbortController()];
    const { signal } = stop;
    sending?.stop.abort();
    sending = { sourceId, stop };
    try {
      const exported = await host.clips.export(clip.snapshot, { mode, signal });
      try {
        const { sizeBytes } = exported;
        const onProgress = (sentBytes: number): void => {
          if (!signal.aborted) dispatch({ type: 'prepare-progress', sourceId, sentBytes, sizeBytes });
        };
        onProgress(0);
        const sent = await uploads.send(exported, { snapshot: clip.snapshot, mode }, { signal, onProgress });
        if (signal.aborted) return;
        dispatch({ type: 'prepare-done', sourceId, ...sent });
        // A source file begins before the piece that is edited.
        const { numerator, denominator } = sent.media.frameRate;
        const frame = Math.round(((exported.range?.startSeconds ?? 0) * numerator) / denominator);
        if (frame > 0) dispatch({ type: 'region-frame-chosen', frame });
      } finally {
        await exported.dispose();
      }
    } catch (error) {
      if (!signal.aborted && !isCancel(error)) fail(error);
    }
  }

  function fail(error: unknown): void {
    dispatch({ type: 'region-still-changed', still: { name: 'failed' } });
    dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });
  }

  const stopListening = store.subscribe((event, state) => {
    const clip = state.selection?.clips[0];
    if (sending !== null && (clip === undefined || sourceIdOf(clip) !== sending.sourceId)) {
      sending.stop.abort();
      sending = null;
    }
    const wanted = wantedOf(state);
    if (event.type === 'region-still-pressed' && wanted === null) void send(state);
    if (wanted?.clipId === asked?.clipId && wanted?.frame === asked?.frame) return;
    asked?.stop.abort();
    asked = wanted === null ? null : { ...wanted, stop: new AbortController() };
    if (asked !== null) void fetch(asked, asked.stop);
  });
  return () => {
    stopListening();
    asked?.stop.abort();
    sending?.stop.abort();
  };
}
