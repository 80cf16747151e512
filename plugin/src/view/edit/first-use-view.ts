// What a user can begin with who has neither a clip nor a model for real footage: a model, or a sample clip.

import { footageModel, practiceModel } from '../../state/practice.ts';
import { chosenModel, serverFacts } from '../../state/choices.ts';
import type { Context, Piece } from '../context.ts';
import { show } from '../ui.ts';

export function createFirstUseView({ ui, t, dispatch }: Context): Piece {
  const f = t.firstUse;
  const get = ui.button(f.get, 'primary', () => dispatch({ type: 'get-model-pressed' }));
  const sample = ui.button(f.sample, '', () => dispatch({ type: 'sample-pressed', name: null }));
  const root = ui.el(
    'section',
    'section',
    ui.el(
      'div',
      'card first-use',
      ui.el('div', 'card-title', f.title),
      ui.el('p', 'card-text', f.text),
      ui.el('div', 'row actions', get, sample),
    ),
  );
  return {
    root,
    update(state) {
      const hasClip = (state.selection?.clips.length ?? 0) > 0;
      show(
        root,
        serverFacts(state) !== null &&
          !hasClip &&
          chosenModel(state)?.vocabulary != null &&
          footageModel(state) === null,
      );
      show(sample, practiceModel(state) !== null);
    },
  };
}
