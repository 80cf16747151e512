// Fetches the pictures of a preview: small ones of every keyframe, edited and as it is, in their order.

import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';
import { pictureKey } from '../state/compare.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { PreviewFrame } from '../state/preview-strip.ts';
import { previewed, previewFramesOf } from '../state/preview.ts';
import type { Task } from '../state/task.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel } from './problem-of.ts';

const sides: readonly FrameSide[] = ['edit', 'original'];
/** Twice the width of a picture in the strip. */
const maxSide = 320;
const atOnce = 2;

export function startPreviewStripEffect({ client, store, pictures, host }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let shown = new AbortController();
  let inFlight = 0;

  function renew({ previewStrip }: PanelState): void {
    shown.abort();
    shown = new AbortController();
    inFlight = 0;
    for (const picture of Object.values(previewStrip?.pictures ?? {})) {
      if (picture.name === 'ready') pictures.drop(picture.url);
    }
  }

  function pump(): void {
    const { previewStrip } = store.state;
    const task = previewed(store.state);
    if (previewStrip === null || task === null) return;
    for (const frame of previewFramesOf(task)) {
      for (const side of sides) {
        if (inFlight >= atOnce) return;
        if (previewStrip.pictures[pictureKey(side, frame.index)] !== undefined) continue;
        // `fetch` marks its picture as requested at once, so the next round requests the next one.
        void fetch(task, side, frame, shown.signal);
        return;
      }
    }
  }

  async function fetch(
    { key, jobId, clipId }: Task,
    side: FrameSide,
    { index, clipFrame }: PreviewFrame,
    signal: AbortSignal,
  ): Promise<void> {
    const id = side === 'original' ? clipId : jobId;
    if (id === null) return;
    inFlight += 1;
    dispatch({ type: 'preview-frame-changed', key, side, index, picture: { name: 'asked' } });
    try {
      const frameIndex = side === 'original' ? clipFrame : index;
      const jpeg = await client.frame({ side, id, frameIndex, maxSide }, signal);
      if (signal.aborted) return;
      const picture = { name: 'ready', url: pictures.make(jpeg) } as const;
      dispatch({ type: 'preview-frame-changed', key, side, index, picture });
    } catch (error) {
      if (isCancel(error) || signal.aborted) return;
      host.shell.log(`A picture of the preview could not be fetched: ${String(error)}`);
      dispatch({ type: 'preview-frame-changed', key, side, index, picture: { name: 'missing' } });
    } finally {
      if (!signal.aborted) {
        inFlight -= 1;
        pump();
      }
    }
  }

  const stopListening = store.subscribe((_event, state, before) => {
    if (state.previewStrip === before.previewStrip) return;
    if (state.previewStrip?.key !== before.previewStrip?.key) renew(before);
    pump();
  });
  return () => {
    stopListening();
    shown.abort();
  };
}
