// A page that shows the panel in any of the named states, with nothing behind it.

import { reduce } from '../../state/reduce/reduce.ts';
import { createStore } from '../../state/store.ts';
import { pageAccessibility } from '../accessibility.ts';
import type { Attention } from '../attention.ts';
import { createFileView } from '../edit/file-view.ts';
import { mountPanel } from '../mount.ts';
import { states } from './states.ts';

const noFiles = {
  take: () => undefined,
  pick: () => undefined,
  clear: () => undefined,
  setRange: () => undefined,
  urlOf: () => null,
};

const silent: Attention = {
  notifications: () => 'unasked',
  ask: () => Promise.resolve('allowed'),
  isHidden: () => false,
  onShown: () => undefined,
  setTitle: () => undefined,
  tell: () => undefined,
};

/** `asKind`: shown by another host than the state's own. */
function showState(name: string, theme: 'light' | 'dark', asKind?: 'premiere' | 'browser'): void {
  const root = document.getElementById('panel');
  const state = states[name];
  if (root === null || state === undefined) throw new Error(`There is no state ${name}.`);
  while (root.firstChild !== null) root.removeChild(root.firstChild);
  const kind = asKind ?? state.host.kind;
  mountPanel({
    root,
    store: createStore({ ...state, theme, host: { ...state.host, kind } }, reduce, (error) => console.error(error)),
    language: 'en',
    onError: (error) => console.error(error),
    env: {
      kind,
      version: '0.1.0',
      random: () => 0.5,
      dragText: kind === 'premiere' ? (path) => path : null,
      page:
        kind === 'premiere'
          ? null
          : {
              createClip: (context) => createFileView(context, noFiles),
              accessibility: pageAccessibility,
              attention: silent,
            },
    },
  });
}

Object.assign(window, { gallery: { names: Object.keys(states), show: showState } });
