// Presets: built-in ones and a person's own, to choose, save, remove, and exchange as files.

import type { Preset } from '../../state/presets.ts';
import type { Context, Piece } from '../context.ts';
import { keyedList, show } from '../ui.ts';

export function createPresetView({ ui, t, dispatch }: Context): Piece {
  const list = ui.el('div', 'chips');
  const presets = keyedList<Preset>(
    list,
    ({ id }) => id,
    ({ id, name, isBuiltIn }) => {
      const label = isBuiltIn ? (t.presets.names[name] ?? name) : name;
      const choose = ui.button(label, 'chip', () => dispatch({ type: 'preset-chosen', id }));
      const remove = ui.button('×', 'chip-remove', () => dispatch({ type: 'preset-removed', id }));
      ui.name(remove, `${t.presets.remove} ${name}`);
      const root = isBuiltIn ? choose : ui.el('span', 'chip-pair', choose, remove);
      return { root, update: () => undefined };
    },
  );
  const exportOwn = ui.button(t.presets.export, 'quiet small', () => dispatch({ type: 'presets-export-pressed' }));
  const root = ui.el(
    'section',
    'section',
    ui.el(
      'div',
      'section-head',
      ui.el('span', 'label', t.presets.title),
      ui.el('span', 'grow'),
      ui.button(t.presets.save, 'quiet small', () =>
        dispatch({ type: 'overlay-opened', overlay: { name: 'save-preset' } }),
      ),
      ui.button(t.presets.import, 'quiet small', () => dispatch({ type: 'presets-import-pressed' })),
      exportOwn,
    ),
    list,
  );
  return {
    root,
    update(state) {
      presets.update(state.presets);
      show(
        exportOwn,
        state.presets.some(({ isBuiltIn }) => !isBuiltIn),
      );
    },
  };
}
