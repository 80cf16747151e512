// Which model, and what it is good for. A few are offered in a field of choices; the list has all of them.

import { chosenModel, usableModels } from '../../state/choices.ts';
import type { Context, Piece } from '../context.ts';
import { withoutCommand } from '../texts/without-command.ts';
import { setText, show } from '../ui.ts';

/** More models than these are chosen in the list. */
const maxChoices = 12;

export function createModelView({ ui, t, dispatch }: Context): Piece {
  const choice = ui.el('select', 'field select');
  ui.name(choice, t.model.title);
  ui.on(choice, 'change', () => dispatch({ type: 'form-changed', change: { model: choice.value } }));
  const only = ui.el('span', 'model-name');
  const all = ui.button(t.model.all, 'quiet small', () =>
    dispatch({
      type: 'overlay-opened',
      overlay: { name: 'models', kind: 'models', filter: '', isLooking: true, problem: null },
    }),
  );
  const goodFor = ui.el('div', 'hint');
  const coming = ui.el('div', 'hint');
  const root = ui.el(
    'section',
    'section',
    // The choice has the whole width: a name that is cut off says less than none.
    ui.el('div', 'section-head', ui.el('div', 'label', t.model.title), all),
    choice,
    only,
    goodFor,
    coming,
  );
  let shown = '';
  return {
    root,
    update(state) {
      const models = usableModels(state);
      const current = chosenModel(state);
      show(root, current !== null);
      if (current === null) return;
      const isChoice = models.length > 1 && models.length <= maxChoices;
      const ids = JSON.stringify(models.map(({ id, title }) => [id, title]));
      if (isChoice && ids !== shown) {
        shown = ids;
        while (choice.firstChild !== null) choice.removeChild(choice.firstChild);
        for (const { id, title } of models) {
          const option = ui.el('option', '', title);
          option.value = id;
          choice.appendChild(option);
        }
      }
      if (isChoice && choice.value !== current.id) choice.value = current.id;
      show(choice, isChoice);
      show(only, !isChoice);
      setText(only, current.title);
      const download = state.downloads.find((one) => one.state === 'running');
      show(coming, download !== undefined);
      if (download !== undefined) {
        const share = download.doneBytes / Math.max(1, download.totalBytes);
        setText(coming, t.model.downloading(download.title, Math.floor(100 * Math.min(1, share))));
      }
      const suits = withoutCommand(current.goodFor);
      setText(goodFor, suits ?? '');
      show(goodFor, suits !== null);
    },
  };
}
