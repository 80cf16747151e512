// A problem: a sentence, what to do, and details to copy.

import type { Problem } from '../state/problem.ts';
import type { Context } from './context.ts';
import { withoutCommand } from './texts/without-command.ts';
import { setText, show } from './ui.ts';

export interface ProblemPiece {
  readonly root: HTMLElement;
  update(problem: Problem | null): void;
}

export function createProblemView({ ui, t, dispatch }: Context): ProblemPiece {
  const title = ui.el('div', 'problem-title');
  const advice = ui.el('div', 'problem-advice');
  let details = '';
  const copy = ui.button(t.copyDetails, 'quiet small', () => dispatch({ type: 'copy-pressed', text: details }));
  const root = ui.el('div', 'problem gone', title, advice, copy);
  return {
    root,
    update(problem) {
      show(root, problem !== null);
      if (problem === null) return;
      const texts = t.problems[problem.code];
      const hint = withoutCommand(problem.hint) ?? texts.advice;
      details = describe(problem);
      setText(title, texts.title);
      setText(advice, hint ?? '');
      show(advice, hint !== null);
    },
  };
}

export function describe({ code, message, hint }: Problem): string {
  return [`${code}: ${message}`, ...(hint == null ? [] : [hint])].join('\n');
}
