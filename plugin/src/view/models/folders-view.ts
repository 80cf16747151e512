// Which folders the list of models was made from, and how others are added.

import type { ModelFolder } from '../../../../protocol/model-info.ts';
import type { Context, Piece } from '../context.ts';
import { keyedList, setText, show } from '../ui.ts';

export function createFoldersView({ ui, t, dispatch }: Context): Piece {
  const m = t.modelList;
  const rows = ui.el('div', 'model-rows');
  const list = keyedList<ModelFolder & { readonly index: number }>(
    rows,
    ({ index }) => String(index),
    () => {
      const line = ui.el('div', 'hint');
      return { root: line, update: ({ title, models }) => setText(line, m.folder(title, models)) };
    },
  );
  const none = ui.el('div', 'hint', m.noFolders);
  const command = ui.el(
    'div',
    'command gone',
    ui.el('code', 'command-text', m.addCommand),
    ui.button(t.link.copy, 'small', () => dispatch({ type: 'copy-pressed', text: m.addCommand })),
  );
  // A question of this view only: nobody else needs to know whether it is open.
  const experts = ui.button(m.experts, 'quiet small', () => command.classList.toggle('gone'));
  return {
    root: ui.el(
      'div',
      'model-group',
      ui.el('div', 'label', m.folders),
      rows,
      none,
      ui.el('div', 'hint', m.addFolder),
      experts,
      command,
    ),
    update({ models }) {
      const folders = models?.folders ?? [];
      list.update(folders.map((folder, index) => ({ ...folder, index })));
      show(none, folders.length === 0);
    },
  };
}
