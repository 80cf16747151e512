// Reads the selection when it may have changed, and the edits of its sequence. One reading at a time; what changes
// meanwhile is read afterwards.

import type { EffectDeps, StopEffect } from './deps.ts';
import { problemOf } from './problem-of.ts';

export function startSelectionEffect({ host, store }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let isReading = false;
  let isStale = false;
  let sequenceId: string | null | undefined;

  async function read(): Promise<void> {
    if (isReading) {
      isStale = true;
      return;
    }
    isReading = true;
    dispatch({ type: 'selection-reading' });
    try {
      do {
        isStale = false;
        const selection = await host.selection.read();
        dispatch({ type: 'selection-read', selection });
        const current = selection.sequence?.id ?? null;
        if (current !== sequenceId) {
          sequenceId = current;
          dispatch({ type: 'edits-read', edits: await host.timeline.edits() });
        }
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set by a call in between
      } while (isStale);
    } catch (error) {
      dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });
    } finally {
      isReading = false;
    }
  }

  const stops = [
    host.selection.subscribe(() => void read()),
    store.subscribe((event) => {
      if (event.type === 'refresh-pressed') {
        sequenceId = undefined;
        void read();
      }
    }),
  ];
  void read();
  return () => {
    for (const stop of stops) stop();
  };
}
