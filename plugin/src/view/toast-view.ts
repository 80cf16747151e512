// Short messages at the lower edge. A failure stays until it is closed; other messages disappear after a while.

import type { Toast } from '../state/panel-state.ts';
import type { Context, Piece } from './context.ts';
import { createProblemView } from './problem-view.ts';
import { keyedList } from './ui.ts';

export function createToastView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const root = ui.el('div', 'toasts');
  root.setAttribute('role', 'status');
  const toasts = keyedList<Toast>(
    root,
    ({ id }) => String(id),
    ({ id, text, problem }) => {
      const details = createProblemView(context);
      details.update(problem);
      const message = t.toasts[text];
      const close = ui.button('×', 'chip-remove', () => dispatch({ type: 'toast-closed', id }));
      ui.name(close, t.overlay.close);
      const words = ui.el('div', 'toast-text', ...(message === '' ? [] : [message]), details.root);
      return { root: ui.el('div', 'toast', words, close), update: () => undefined };
    },
  );
  return { root, update: (state) => toasts.update(state.toasts) };
}
