// The words: what the clip should become and what it is now; recent ones; and the vocabulary of a practice model.

import { maxPromptCharacters } from '../../../../protocol/limits.ts';
import { readPrompt, withPhrase, type ModelVocabulary } from '../../../../protocol/vocabulary.ts';
import { chosenModel } from '../../state/choices.ts';
import type { EditForm } from '../../state/form.ts';
import type { HistoryEntry } from '../../state/panel-state.ts';
import { selectedSample } from '../../state/practice.ts';
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
  const workingList = ui.el('div', 'chips');
  const workingPrompts = keyedList<string>(
    workingList,
    (words) => words,
    (words) => ({
      root: ui.button(words, 'chip', () => dispatch({ type: 'form-changed', change: { prompt: words } })),
      update: () => undefined,
    }),
  );
  const working = ui.el('div', 'recent', ui.el('span', 'label', t.prompt.working), workingList);
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
    working,
    suggestions.root,
    recent,
    ui.el('label', 'field-block', ui.el('span', 'label', t.prompt.source), source),
    ui.el('div', 'hint', t.prompt.sourceNote),
  );
  return {
    root,
    update(state) {
      const { form } = state;
      const vocabulary = chosenModel(state)?.vocabulary ?? null;
      const example = vocabulary?.samples[0];
      setValue(prompt, form.prompt);
      setValue(source, form.sourcePrompt);
      prompt.placeholder = example?.prompts[0] ?? t.prompt.placeholder;
      source.placeholder = example?.sourcePrompt ?? t.prompt.sourcePlaceholder;
      const sample = selectedSample(state);
      show(working, sample !== null);
      workingPrompts.update(sample?.prompts ?? []);
      show(suggestions.root, vocabulary !== null);
      if (vocabulary !== null) suggestions.update(form, vocabulary);
      const others = state.history.filter((entry) => entry.prompt !== form.prompt);
      show(recent, others.length > 0 && vocabulary === null);
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

/** The words of a practice model, as chips that build a prompt. */
function createSuggestions({ ui, t, dispatch }: Context) {
  let prompt = '';
  const unknown = ui.el('div', 'hint warn-text');
  const rows = ui.el('div', 'suggestion-rows');
  const root = ui.el('div', 'suggestions', unknown, ui.el('span', 'label', t.prompt.suggestions), rows);
  ui.group(rows, 'tools', t.prompt.suggestions);
  let shown: ModelVocabulary | null = null;
  let chips: readonly { readonly part: string; readonly phrase: string; readonly button: HTMLElement }[] = [];

  function draw(vocabulary: ModelVocabulary): void {
    while (rows.firstChild !== null) rows.removeChild(rows.firstChild);
    chips = vocabulary.parts.flatMap(({ name, phrases }) => {
      const made = phrases.flatMap(([phrase = '']) => {
        if (phrase === '') return [];
        const colour = name === 'colour' ? `dot dot-${phrase}` : '';
        const press = (): void =>
          dispatch({ type: 'form-changed', change: { prompt: withPhrase(vocabulary, prompt, name, phrase) } });
        return [{ part: name, phrase, button: ui.button(phrase, `chip ${colour}`, press) }];
      });
      rows.appendChild(ui.el('div', 'chips', ...made.map(({ button }) => button)));
      return made;
    });
  }

  return {
    root,
    update(form: EditForm, vocabulary: ModelVocabulary): void {
      ({ prompt } = form);
      // Each answer of the server brings an equal one.
      if (JSON.stringify(shown) !== JSON.stringify(vocabulary)) draw(vocabulary);
      shown = vocabulary;
      const read = readPrompt(vocabulary, prompt);
      for (const { part, phrase, button } of chips) ui.choose(button, read.phrases[part] === phrase, 'pressed');
      show(unknown, read.unknown.length > 0);
      setText(unknown, t.prompt.unknown(read.unknown.join(', ')));
    },
  };
}
