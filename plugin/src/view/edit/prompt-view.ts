// The words: what the clip should become and what it is now; recent ones; and the demo model's vocabulary.

import { maxPromptCharacters } from '../../../../protocol/limits.ts';
import { chosenModel } from '../../state/choices.ts';
import type { EditForm } from '../../state/form.ts';
import type { HistoryEntry } from '../../state/panel-state.ts';
import { demoModel, demoParts, readDemoPrompt, withDemoPart, type DemoPart } from '../../state/vocabulary.ts';
import type { Context, Piece } from '../context.ts';
import { keyedList, setText, setValue, show } from '../ui.ts';

type Words = 'prompt' | 'sourcePrompt' | 'negativePrompt';
const shownHistory = 5;

export function createPromptView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const prompt = createField(context, 'prompt', 3);
  const source = createField(context, 'sourcePrompt', 1);
  const suggestions = createSuggestions(context);
  const historyList = ui.el('div', 'chips');
  const history = keyedList<HistoryEntry>(
    historyList,
    (entry) => JSON.stringify(entry),
    (entry) => ({
      root: ui.button(entry.prompt, 'chip', () => dispatch({ type: 'history-chosen', entry })),
      update: () => undefined,
    }),
  );
  ui.group(historyList, 'tools', t.prompt.history);
  const recent = ui.el('div', 'recent', ui.el('span', 'label', t.prompt.history), historyList);
  const rerun = ui.el(
    'div',
    'strip info',
    ui.el('span', 'strip-text', t.prompt.rerun),
    ui.button(t.prompt.rerunDrop, 'quiet small', () => dispatch({ type: 'rerun-dropped' })),
  );
  const root = ui.el(
    'section',
    'section',
    rerun,
    ui.el('label', 'field-block', ui.el('span', 'section-title', t.prompt.title), prompt),
    suggestions.root,
    recent,
    ui.el('label', 'field-block', ui.el('span', 'label', t.prompt.source), source),
    ui.el('div', 'hint', t.prompt.sourceNote),
  );
  return {
    root,
    update(state) {
      const { form } = state;
      const isDemo = chosenModel(state)?.id === demoModel;
      setValue(prompt, form.prompt);
      setValue(source, form.sourcePrompt);
      prompt.placeholder = isDemo ? t.prompt.demoPlaceholder : t.prompt.placeholder;
      source.placeholder = isDemo ? t.prompt.demoSourcePlaceholder : t.prompt.sourcePlaceholder;
      show(suggestions.root, isDemo);
      if (isDemo) suggestions.update(form);
      const others = state.history.filter((entry) => entry.prompt !== form.prompt);
      show(recent, others.length > 0 && !isDemo);
      history.update(others.slice(0, shownHistory));
      show(rerun, state.rerunOf !== null);
    },
  };
}

/** A field for words of the form; Ctrl+Enter in it applies. */
export function createField({ ui, dispatch }: Context, words: Words, rows: number): HTMLTextAreaElement {
  const field = ui.el('textarea', `field rows-${rows}`);
  field.rows = rows;
  field.maxLength = maxPromptCharacters;
  field.spellcheck = false;
  ui.on(field, 'input', () => dispatch({ type: 'form-changed', change: { [words]: field.value } }));
  ui.on(field, 'keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      dispatch({ type: 'apply-pressed' });
    }
  });
  return field;
}

function createSuggestions({ ui, t, dispatch }: Context) {
  let form: EditForm | null = null;
  const chips = (Object.keys(demoParts) as DemoPart[]).map((part) => ({
    part,
    words: demoParts[part].map((word) => ({
      word,
      button: ui.button(word, `chip ${part === 'colour' ? `dot dot-${word}` : ''}`, () => {
        const prompt = withDemoPart(form?.prompt ?? '', part, word);
        dispatch({ type: 'form-changed', change: { prompt } });
      }),
    })),
  }));
  const unknown = ui.el('div', 'hint warn-text');
  const words = ui.el(
    'div',
    'word-rows',
    ...chips.map((row) => ui.el('div', 'chips', ...row.words.map(({ button }) => button))),
  );
  ui.group(words, 'tools', t.prompt.suggestions);
  const root = ui.el('div', 'suggestions', ui.el('span', 'label', t.prompt.suggestions), words, unknown);
  return {
    root,
    update(next: EditForm): void {
      form = next;
      const known = readDemoPrompt(next.prompt);
      for (const { part, words } of chips) {
        for (const { word, button } of words) ui.choose(button, known[part] === word, 'pressed');
      }
      show(unknown, known.unknown.length > 0);
      setText(unknown, t.prompt.unknown(known.unknown.join(', ')));
    },
  };
}
