// Estimates how long an edit will take: by the server if it has the clip already, else by a guess from earlier edits.

import type { EditRequest } from '../../../protocol/messages/job-messages.ts';
import { chosenModel, rangeOf, selectedFrames, sourceIdOf } from '../state/choices.ts';
import type { PanelEvent } from '../state/events.ts';
import { toSettings } from '../state/form.ts';
import { maskOf } from '../state/region.ts';
import { guessSeconds, throughputKey } from '../state/throughput.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

/** While the user moves a slider, no estimate is requested for each step of it. */
const restMs = 400;

const causes: readonly PanelEvent['type'][] = [
  ...(['form-changed', 'preset-chosen', 'history-chosen', 'rerun-pressed', 'selection-read'] as const),
  ...(['region-changed', 'region-drawn', 'region-place-added', 'region-closed', 'region-undone'] as const),
  ...(['prepare-done', 'prepare-failed', 'link-changed', 'throughput-measured', 'kept-read', 'models-read'] as const),
];

export function startEstimateEffect({ client, store, clock }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let cancelRest: () => void = () => undefined;
  /** Null before the first one, when no estimate is possible, and after a failure, which may be tried again. */
  let newest: { readonly text: string; readonly stop: AbortController } | null = null;

  const stopListening = store.subscribe((event) => {
    if (!causes.includes(event.type)) return;
    const question = questionOf(store.state);
    const text = JSON.stringify(question);
    // The server has measured the device by now, and may have a better answer.
    if (newest?.text === text && event.type !== 'throughput-measured') return;
    drop();
    if (question === null) {
      guess(store.state);
      return;
    }
    const stop = new AbortController();
    newest = { text, stop };
    // Before the request, so that the previous answer is not shown for these settings.
    dispatch({ type: 'estimate-asked' });
    cancelRest = clock.after(restMs, () => void ask(question, stop));
  });

  /** The previous answer is not needed any more. */
  function drop(): void {
    cancelRest();
    newest?.stop.abort();
    newest = null;
  }

  async function ask(question: Question, { signal }: AbortController): Promise<void> {
    try {
      const { edit, preview } = await client.estimate({ ...question, device: 'auto' }, signal);
      if (signal.aborted) return;
      dispatch({ type: 'estimate-known', estimate: edit, previewSeconds: preview?.seconds ?? null });
    } catch (error) {
      if (signal.aborted) return;
      newest = null;
      if (!isCancel(error)) dispatch({ type: 'estimate-failed', problem: problemOf(error) });
    }
  }

  function guess(state: PanelState): void {
    const model = chosenModel(state);
    const throughput = model === null ? undefined : state.throughputs[throughputKey(model.id, state.form)];
    const seconds = guessSeconds(throughput, selectedFrames(state), state.form);
    if (seconds !== null) dispatch({ type: 'estimate-guessed', seconds });
    else if (state.estimate.name !== 'none') dispatch({ type: 'estimate-none' });
  }

  return () => {
    stopListening();
    drop();
  };
}

type Question = Omit<EditRequest, 'device'>;

function questionOf(state: PanelState): Question | null {
  const clip = state.selection?.clips[0];
  const model = chosenModel(state);
  if (state.link.name !== 'online' || clip === undefined || model === null) return null;
  if (state.prepared?.clip == null || state.prepared.sourceId !== sourceIdOf(clip)) return null;
  const settings = toSettings(state.form, rangeOf(clip), maskOf(state));
  // Prompts and seeds do not change the time, and an estimate is shown before the user has entered any. But a cached
  // inversion belongs to a source prompt.
  const timed = { ...settings, prompt: 'any', negativePrompt: '', seed: 0 };
  return { clipId: state.prepared.clip.clipId, settings: timed, model: model.id };
}
