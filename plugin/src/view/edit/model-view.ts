// Which model, and what it is good for. One model is only named.

import { chosenModel, serverFacts } from '../../state/choices.ts';
import type { Context, Piece } from '../context.ts';
import { setText, show } from '../ui.ts';

export function createModelView({ ui, t, dispatch }: Context): Piece {
  const choice = ui.el('select', 'field select');
  ui.name(choice, t.model.title);
  ui.on(choice, 'change', () => dispatch({ type: 'form-changed', change: { model: choice.value } }));
  const only = ui.el('span', 'model-name');
  const goodFor = ui.el('div', 'hint');
  const root = ui.el(
    'section',
    'section',
    ui.el('div', 'row', ui.el('span', 'label fixed', t.model.title), choice, only),
    goodFor,
  );
  let shown = '';
  return {
    root,
    update(state) {
      const models = serverFacts(state)?.models ?? [];
      const current = chosenModel(state);
      show(root, current !== null);
      if (current === null) return;
      const ids = JSON.stringify(models.map(({ id, title }) => [id, title]));
      if (ids !== shown) {
        shown = ids;
        while (choice.firstChild !== null) choice.removeChild(choice.firstChild);
        for (const { id, title } of models) {
          const option = ui.el('option', '', title);
          option.value = id;
          choice.appendChild(option);
        }
      }
      if (choice.value !== current.id) choice.value = current.id;
      show(choice, models.length > 1);
      show(only, models.length === 1);
      setText(only, current.title);
      setText(goodFor, current.goodFor);
      show(goodFor, current.goodFor !== '');
    },
  };
}
