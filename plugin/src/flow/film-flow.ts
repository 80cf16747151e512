// Fetches the pictures of a preview: small ones of every keyframe, edited and as it is, in their order.

import type { FrameSide } from '../../../protocol/stream-messages.ts';
import { pictureKey } from '../state/compare.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { Shot } from '../state/film.ts';
import { previewed, shotsOf } from '../state/preview.ts';
import type { Task } from '../state/task.ts';
import type { FlowDeps, StopFlow } from './deps.ts';
import { isCancel } from './problem-of.ts';

const sides: readonly FrameSide[] = ['edit', 'original'];
/** Twice the width of a picture in the strip. */
const maxSide = 320;
const atOnce = 2;

export function startFilmFlow({ client, store, pictures, host }: FlowDeps): StopFlow {
  const { dispatch } = store;
  let shown = new AbortController();
  let inFlight = 0;

  function renew({ film }: PanelState): void {
    shown.abort();
    shown = new AbortController();
    inFlight = 0;
    for (const picture of Object.values(film?.pictures ?? {})) {
      if (picture.name === 'ready') pictures.drop(picture.url);
    }
  }

  function pump(): void {
    const { film } = store.state;
    const task = previewed(store.state);
    if (film === null || task === null) return;
    for (const shot of shotsOf(task)) {
      for (const side of sides) {
        if (inFlight >= atOnce) return;
        if (film.pictures[pictureKey(side, shot.shot)] !== undefined) continue;
        // What is asked for is heard of at once, so that the next round asks for the next.
        void fetch(task, side, shot, shown.signal);
        return;
      }
    }
  }

  async function fetch(
    { key, jobId, clipId }: Task,
    side: FrameSide,
    { shot, clipFrame }: Shot,
    signal: AbortSignal,
  ): Promise<void> {
    const id = side === 'original' ? clipId : jobId;
    if (id === null) return;
    inFlight += 1;
    dispatch({ type: 'shot-changed', key, side, shot, picture: { name: 'asked' } });
    try {
      const frameIndex = side === 'original' ? clipFrame : shot;
      const jpeg = await client.frame({ side, id, frameIndex, maxSide }, signal);
      if (signal.aborted) return;
      const picture = { name: 'ready', url: pictures.make(jpeg) } as const;
      dispatch({ type: 'shot-changed', key, side, shot, picture });
    } catch (error) {
      if (isCancel(error) || signal.aborted) return;
      host.shell.log(`A picture of the preview could not be fetched: ${String(error)}`);
      dispatch({ type: 'shot-changed', key, side, shot, picture: { name: 'missing' } });
    } finally {
      if (!signal.aborted) {
        inFlight -= 1;
        pump();
      }
    }
  }

  const stopListening = store.subscribe((_event, state, before) => {
    if (state.film === before.film) return;
    if (state.film?.key !== before.film?.key) renew(before);
    pump();
  });
  return () => {
    stopListening();
    shown.abort();
  };
}
