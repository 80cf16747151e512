// A sample clip of the practice model: fetched from the server and taken as the clip to edit, with words that work.

import { sampleFileName } from '../../../protocol/vocabulary.ts';
import { practiceModel } from '../state/practice.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

export function startSampleEffect({ host, client, store }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let taking: AbortController | null = null;

  async function take(name: string | null): Promise<void> {
    const model = practiceModel(store.state);
    const samples = model?.vocabulary.samples ?? [];
    const sample = samples.find((one) => one.name === name) ?? samples[0];
    if (model === null || sample === undefined) return;
    taking?.abort();
    const stop = new AbortController();
    taking = stop;
    try {
      const bytes = await client.sample(model.id, sample.name, stop.signal);
      await host.clips.takeSample({ fileName: sampleFileName(sample), title: sample.title, bytes });
      // The model and the words first: with them, the clip raises no doubt.
      dispatch({ type: 'sample-taken', modelId: model.id, sample });
      dispatch({ type: 'refresh-pressed' });
    } catch (error) {
      if (!isCancel(error)) dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });
    }
  }

  const stopListening = store.subscribe((event) => {
    if (event.type === 'sample-pressed') void take(event.name);
  });
  return () => {
    stopListening();
    taking?.abort();
  };
}
