// The list of models: asked for when the panel has connected, and again each time that it is opened. The server looks at its
// machine for each answer, so that a new file is in it.

import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

export function startModelsEffect({ client, store }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let asking: AbortController | null = null;

  async function ask(): Promise<void> {
    asking?.abort();
    const stop = new AbortController();
    asking = stop;
    try {
      const lists = await client.models(stop.signal);
      if (stop.signal.aborted) return;
      dispatch({ type: 'models-read', lists });
      const usable = lists.loras.filter(({ problem }) => problem === null);
      dispatch({ type: 'loras-listed', loras: usable.map(({ name, title, family }) => ({ name, title, family })) });
    } catch (error) {
      if (!stop.signal.aborted && !isCancel(error)) dispatch({ type: 'models-failed', problem: problemOf(error) });
    }
  }

  const stopListening = store.subscribe((event) => {
    const isOpened = event.type === 'overlay-opened' && event.overlay.name === 'models';
    const isOnline = event.type === 'link-changed' && event.link.name === 'online';
    if (isOnline || (isOpened && client.link.name === 'online')) void ask();
  });
  return () => {
    stopListening();
    asking?.abort();
  };
}
