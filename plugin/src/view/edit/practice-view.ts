// The card in the place of Apply when a practice model does not know the clip or the words: what will happen, and what to do.

import { footageModel, practiceModel, shownDoubt, type PracticeDoubt } from '../../state/practice.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Context, Piece } from '../context.ts';
import { setText, show } from '../ui.ts';

export function createPracticeView({ ui, t, dispatch }: Context): Piece {
  const p = t.practice;
  const title = ui.el('div', 'card-title');
  const clip = ui.el('p', 'card-text');
  const words = ui.el('p', 'card-text');
  let better: string | null = null;
  const useBetter = ui.button('', 'primary', () => dispatch({ type: 'form-changed', change: { model: better } }));
  const get = ui.button(p.get, 'primary', () => dispatch({ type: 'get-model-pressed' }));
  const sample = ui.button(p.sample, '', () => dispatch({ type: 'sample-pressed', name: null }));
  const anyway = ui.button(p.anyway, 'quiet', () => dispatch({ type: 'practice-accepted' }));
  const root = ui.el(
    'div',
    'card practice',
    title,
    clip,
    words,
    ui.el('div', 'row actions', useBetter, get, sample, anyway),
  );
  return {
    root,
    update(state) {
      const doubt = shownDoubt(state);
      show(root, doubt !== null);
      if (doubt === null) return;
      setText(title, p.title(doubt.model.title));
      setText(clip, p.clip);
      show(clip, doubt.isForeignClip);
      setText(words, p.words(doubt.unknownWords.join(', ')));
      show(words, doubt.unknownWords.length > 0);
      const footage = footageModel(state);
      better = footage?.id ?? null;
      show(useBetter, footage !== null);
      setText(useBetter, p.use(footage?.title ?? ''));
      show(get, footage === null);
      show(sample, offersSample(state, doubt));
    },
  };
}

function offersSample(state: PanelState, { isForeignClip }: PracticeDoubt): boolean {
  return isForeignClip && practiceModel(state) !== null;
}
