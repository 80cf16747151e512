// Says how long an edit will take: the server where it has the clip already, else a guess from earlier edits.

import { chosenModel, rangeOf, selectedFrames, sourceIdOf } from '../state/choices.ts';
import type { PanelEvent } from '../state/events.ts';
import { toSettings } from '../state/form.ts';
import { guessSeconds } from '../state/pace.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { FlowDeps, StopFlow } from './deps.ts';
import { isStop, problemOf } from './problem-of.ts';

/** A person who moves the dial is not asked about at every step of it. */
const restMs = 400;

const causes: readonly PanelEvent['type'][] = [
  ...(['form-changed', 'preset-chosen', 'history-chosen', 'rerun-pressed', 'selection-read'] as const),
  ...(['prepare-done', 'prepare-failed', 'link-changed', 'pace-measured', 'kept-read'] as const),
];

export function startEstimateFlow({ client, store, clock }: FlowDeps): StopFlow {
  const { dispatch } = store;
  let cancelRest: () => void = () => undefined;
  let asked: { readonly question: string; readonly stop: AbortController } | null = null;

  const stopListening = store.subscribe((event) => {
    if (!causes.includes(event.type)) return;
    // The server has measured the device by now, and may know what it did not know before.
    if (event.type === 'pace-measured') asked = null;
    cancelRest();
    cancelRest = clock.after(restMs, () => void answer());
  });

  async function answer(): Promise<void> {
    const { state } = store;
    const question = questionOf(state);
    const text = JSON.stringify(question);
    if (asked?.question === text) return;
    asked?.stop.abort();
    asked = null;
    if (question === null) {
      guess(state);
      return;
    }
    const stop = new AbortController();
    asked = { question: text, stop };
    dispatch({ type: 'estimate-asked' });
    try {
      const ask = (preview: boolean) =>
        client.estimate({ ...question, settings: { ...question.settings, preview }, device: 'auto' }, stop.signal);
      // That the preview's time is not known is no reason to keep the edit's back.
      const [estimate, preview] = await Promise.all([ask(false), ask(true).catch(() => null)]);
      dispatch({ type: 'estimate-known', estimate, previewSeconds: preview?.seconds ?? null });
    } catch (error) {
      if (isStop(error)) return;
      asked = null;
      dispatch({ type: 'estimate-failed', problem: problemOf(error) });
    }
  }

  function guess(state: PanelState): void {
    const model = chosenModel(state);
    const pace = model === null ? undefined : state.paces[model.id];
    const seconds = guessSeconds(pace, selectedFrames(state), state.form);
    if (seconds !== null) dispatch({ type: 'estimate-guessed', seconds });
    else if (state.estimate.name !== 'none') dispatch({ type: 'estimate-none' });
  }

  return () => {
    stopListening();
    cancelRest();
    asked?.stop.abort();
  };
}

function questionOf(state: PanelState) {
  const clip = state.selection?.clips[0];
  const model = chosenModel(state);
  if (state.link.name !== 'online' || clip === undefined || model === null) return null;
  if (state.prepared?.clip == null || state.prepared.sourceId !== sourceIdOf(clip)) return null;
  const settings = toSettings(state.form, rangeOf(clip));
  // Words and seeds take no time, and an estimate is wanted before there are any; but an inversion that is kept belongs
  // to a source prompt.
  const timed = { ...settings, prompt: 'any', negativePrompt: '', seed: 0 };
  return { clipId: state.prepared.clip.clipId, settings: timed, model: model.id };
}
