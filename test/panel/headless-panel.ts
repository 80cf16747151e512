// The panel without its surface: the real flow, client and state beside a simulated Premiere, against a real companion
// server over a real WebSocket.

import { createClient } from '../../protocol/client/client.ts';
import { panelTiming } from '../../protocol/client/timing.ts';
import type { EditReport } from '../../protocol/edit-report.ts';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import { systemClock, webPlatform } from '../../plugin/src/client/web-platform.ts';
import { startPanelEffects } from '../../plugin/src/effects/panel-effects.ts';
import { abilityNames } from '../../plugin/src/host/host.ts';
import type { EditForm } from '../../plugin/src/state/form.ts';
import { initialState, type PanelState } from '../../plugin/src/state/panel-state.ts';
import { reduce } from '../../plugin/src/state/reduce/reduce.ts';
import { createStore, type Store } from '../../plugin/src/state/store.ts';
import type { Task } from '../../plugin/src/state/task.ts';
import type { TestProject } from '../premiere-sim/testing-flow.ts';

export interface Panel {
  readonly store: Store;
  readonly errors: readonly unknown[];
  until(isSo: (state: PanelState) => boolean): Promise<PanelState>;
  close(): void;
}

/** An edit that has ended well, as far as the server goes. */
export type EditedTask = Pick<Task, 'settings'> & { readonly report: EditReport };

/** A panel as Premiere opens it; a second one is the panel after a restart. Needs a global WebSocket. */
export function openPanel({ sim }: Pick<TestProject, 'sim'>, server: RunningServer): Panel {
  const host = sim.open();
  const errors: unknown[] = [];
  const abilities = abilityNames.filter((name) => host.abilities[name].isThere);
  const facts = { kind: host.kind, product: host.product, abilities, logFolder: null };
  const store = createStore(initialState(facts, 'dark', 'prores'), reduce, (error) => errors.push(error));
  const client = createClient({
    server: server.url,
    client: { name: 'test', version: '0' },
    tokens: { read: () => Promise.resolve(server.token), write: () => Promise.resolve() },
    platform: webPlatform,
    timing: panelTiming,
  });
  const stop = startPanelEffects({
    host,
    client,
    store,
    clock: systemClock,
    random: Math.random,
    pictures: { make: () => 'blob:picture', drop: () => undefined },
    isTyping: () => false,
    saveResult: null,
  });
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stop();
    void client.stop();
  };
  return {
    store,
    errors,
    close,
    until: (isSo) =>
      new Promise((resolve) => {
        if (isSo(store.state)) {
          resolve(store.state);
          return;
        }
        const unsubscribe = store.subscribe((_event, state) => {
          if (!isSo(state)) return;
          unsubscribe();
          resolve(state);
        });
      }),
  };
}

/** Presses Apply with the form as it is but for `change`, and waits for the end. Throws Error when the edit failed. */
export async function applyEdit(panel: Panel, change: Partial<EditForm>): Promise<EditedTask> {
  await panel.until(isReady);
  const known = panel.store.state.tasks.map(({ key }) => key);
  const fresh = ({ tasks }: PanelState) => tasks.find((task) => !known.includes(task.key));
  panel.store.dispatch({ type: 'form-changed', change });
  panel.store.dispatch({ type: 'apply-pressed' });
  const state = await panel.until((state) => {
    const name = fresh(state)?.state.name;
    return name === 'done' || name === 'unplaced' || name === 'failed';
  });
  const task = fresh(state);
  if (task?.report == null) throw new Error(`The edit failed: ${JSON.stringify(task?.state)}`);
  return { settings: task.settings, report: task.report };
}

/** Connected, with a clip that can be edited. */
export const isReady = ({ link, selection }: PanelState): boolean =>
  link.name === 'online' && (selection?.clips.length ?? 0) > 0;
