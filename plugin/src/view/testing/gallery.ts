// A page that shows the panel in any of the named states, with nothing behind it.

import { reduce } from '../../state/reduce/reduce.ts';
import { createStore } from '../../state/store.ts';
import type { Attention } from '../attention.ts';
import { ariaAnnounce } from '../announce.ts';
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

function showState(name: string, theme: 'light' | 'dark'): void {
  const root = document.getElementById('panel');
  const state = states[name];
  if (root === null || state === undefined) throw new Error(`There is no state ${name}.`);
  while (root.firstChild !== null) root.removeChild(root.firstChild);
  const { kind } = state.host;
  mountPanel({
    root,
    store: createStore({ ...state, theme }, reduce, (error) => console.error(error)),
    language: 'en',
    onError: (error) => console.error(error),
    env: {
      kind,
      version: '0.1.0',
      random: () => 0.5,
      page:
        kind === 'premiere'
          ? null
          : {
              createClip: (context) => createFileView(context, noFiles),
              announce: ariaAnnounce,
              attention: silent,
            },
    },
  });
}

Object.assign(window, { gallery: { names: Object.keys(states), show: showState } });
