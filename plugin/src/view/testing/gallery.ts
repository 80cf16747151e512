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

/** What the background app says in words of its own, as its messages name it. */
const toldBy = ['advice', 'detail', 'goodFor', 'hint', 'message', 'problem'];

/** `value` with `told` in the place of every text that the background app has sent. */
function withTold(value: unknown, told: string): unknown {
  if (Array.isArray(value)) return value.map((one) => withTold(one, told));
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const replaced = ([name, inner]: [string, unknown]): [string, unknown] =>
    typeof inner === 'string' && toldBy.includes(name) ? [name, told] : [name, withTold(inner, told)];
  return Object.fromEntries(Object.entries(value).map(replaced));
}

/** `asKind`: shown by another host than the state's own. `told`: in the place of all that the background app says. */
function showState(name: string, theme: 'light' | 'dark', asKind?: 'premiere' | 'browser', told?: string): void {
  const root = document.getElementById('panel');
  const known = states[name];
  const state = told === undefined ? known : (withTold(known, told) as typeof known);
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
