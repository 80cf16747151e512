// Holds the state. Listeners get every event with the state before and after it, one event at a time: an event that a
// listener dispatches waits until all listeners have handled the current one.

import type { PanelEvent } from './events.ts';
import type { PanelState } from './panel-state.ts';

export type Dispatch = (event: PanelEvent) => void;
export type Reduce = (state: PanelState, event: PanelEvent) => PanelState;
export type StoreListener = (event: PanelEvent, state: PanelState, before: PanelState) => void;

export interface Store {
  readonly state: PanelState;
  readonly dispatch: Dispatch;
  subscribe(listener: StoreListener): () => void;
}

/** `onError` gets what a listener throws; the other listeners still get the event. */
export function createStore(initial: PanelState, reduce: Reduce, onError: (error: unknown) => void): Store {
  let state = initial;
  let isTelling = false;
  const queue: PanelEvent[] = [];
  const listeners = new Set<StoreListener>();

  function dispatch(event: PanelEvent): void {
    queue.push(event);
    if (isTelling) return;
    isTelling = true;
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) tell(next);
    } finally {
      isTelling = false;
    }
  }

  function tell(event: PanelEvent): void {
    const before = state;
    try {
      state = reduce(before, event);
    } catch (error) {
      onError(error);
      return;
    }
    for (const listener of [...listeners]) {
      try {
        listener(event, state, before);
      } catch (error) {
        onError(error);
      }
    }
  }

  return {
    get state() {
      return state;
    },
    dispatch,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
