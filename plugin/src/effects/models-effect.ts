// The list of models: asked for when the panel has connected, each time that it is opened, and when the server says that it
// has changed. The server looks at its machine for each answer, so that a new file is in it. And what the user does with
// models: download, pause, cancel, remove.

import type { PanelEvent } from '../state/events.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

export function startModelsEffect({ client, store }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let asking: AbortController | null = null;
  let asksForLicence: AbortController | null = null;
  /** Models that were on their way while this panel was connected. */
  const expected = new Set<string>();

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
      for (const { id, state } of lists.offers) {
        if (state !== 'here' || !expected.delete(id)) continue;
        dispatch({ type: 'model-arrived', modelId: id });
        dispatch({ type: 'toast-raised', text: 'model-ready', problem: null });
      }
    } catch (error) {
      if (!stop.signal.aborted && !isCancel(error)) dispatch({ type: 'models-failed', problem: problemOf(error) });
    }
  }

  async function readLicence(modelId: string): Promise<void> {
    asksForLicence?.abort();
    const stop = new AbortController();
    asksForLicence = stop;
    try {
      const licence = await client.licence(modelId, stop.signal);
      if (!stop.signal.aborted) dispatch({ type: 'licence-read', licence });
    } catch (error) {
      if (!stop.signal.aborted && !isCancel(error)) dispatch({ type: 'licence-failed', problem: problemOf(error) });
    }
  }

  /** Does it, and shows in the list what was refused. */
  function attempt(work: () => Promise<void>, then: () => void = () => undefined): void {
    work().then(then, (error: unknown) => {
      if (!isCancel(error)) dispatch({ type: 'models-failed', problem: problemOf(error) });
    });
  }

  function answer(event: PanelEvent, { overlay }: PanelState, before: PanelState): void {
    switch (event.type) {
      case 'link-changed':
        if (event.link.name === 'online') void ask();
        break;
      case 'overlay-opened':
      case 'get-model-pressed':
      case 'licence-declined':
        if (overlay?.name === 'models' && client.link.name === 'online') void ask();
        break;
      case 'model-download-pressed':
        if (before.downloads.some(({ id }) => id === event.modelId)) {
          attempt(() => client.downloadModel(event.modelId, null));
        } else if (overlay?.name === 'licence') void readLicence(event.modelId);
        break;
      case 'licence-accepted':
        attempt(
          () => client.downloadModel(event.modelId, event.sha256),
          () => void ask(),
        );
        break;
      case 'model-pause-pressed':
        attempt(() => client.pauseModel(event.modelId));
        break;
      case 'model-cancel-pressed':
        expected.delete(event.modelId);
        attempt(
          () => client.cancelModel(event.modelId),
          () => void ask(),
        );
        break;
      case 'model-remove-confirmed':
        attempt(
          () => client.removeModel(event.kind, event.name),
          () => dispatch({ type: 'toast-raised', text: 'model-removed', problem: null }),
        );
        break;
      default:
    }
  }

  const stops = [
    store.subscribe(answer),
    client.onModels({
      onDownloads(downloads) {
        for (const { id } of downloads) expected.add(id);
        dispatch({ type: 'downloads-told', downloads });
      },
      onChanged: () => void ask(),
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    asking?.abort();
    asksForLicence?.abort();
  };
}
