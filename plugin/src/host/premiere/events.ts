// Premiere's events say only that something may have changed. They come in bursts and untyped, so they are gathered
// and passed on as one call without a payload.

import type { Unsubscribe } from '../host.ts';
import type { Surroundings } from './api.ts';

const gatherMs = 200;

/** Calls `listener` after the selection, the sequence or the project may have changed. */
export function subscribeSelection({ ppro, clock }: Surroundings, listener: () => void): Unsubscribe {
  const { SequenceEvent, ProjectEvent } = ppro.Constants;
  const events = [
    SequenceEvent.SELECTION_CHANGED,
    SequenceEvent.ACTIVATED,
    SequenceEvent.CLOSED,
    ProjectEvent.ACTIVATED,
    ProjectEvent.OPENED,
    ProjectEvent.CLOSED,
    ProjectEvent.DIRTY,
  ];
  let cancel: (() => void) | null = null;
  const gather = (): void => {
    cancel ??= clock.after(gatherMs, () => {
      cancel = null;
      listener();
    });
  };
  for (const event of events) ppro.EventManager.addGlobalEventListener(event, gather);
  return () => {
    cancel?.();
    for (const event of events) ppro.EventManager.removeGlobalEventListener(event, gather);
  };
}
