// What people who do not see the panel hear of an edit: a stage that begins, every quarter, and how it ends. In a browser.

import type { Task } from '../state/task.ts';
import { isListed, isOver, taskProgress } from '../state/task.ts';
import type { Context, Piece } from './context.ts';
import { setText } from './ui.ts';

export function createLiveView(context: Context): Piece {
  const { ui } = context;
  const root = ui.el('div', 'unseen');
  ui.describe(root, { role: 'status', live: 'polite' });
  /** Tasks whose end was said, or that were over when the panel opened. */
  const said = new Set<string>();
  let isFirst = true;
  return {
    root,
    update({ tasks }) {
      const listed = tasks.filter(isListed);
      const ended = listed.find((task) => isOver(task) && !said.has(task.key));
      for (const { key } of listed.filter(isOver)) said.add(key);
      if (isFirst) {
        isFirst = false;
        return;
      }
      const running = listed.find(({ state }) => state.name === 'running');
      if (ended !== undefined) setText(root, endText(ended, context));
      else if (running !== undefined) setText(root, runningText(running, context));
    },
  };
}

function endText({ state, settings: { prompt } }: Task, { t }: Context): string {
  if (!('problem' in state) || state.problem === null)
    return state.name === 'canceled' ? t.tasks.canceled : t.live.done(prompt);
  return t.live.failed(prompt, t.problems[state.problem.code].title);
}

/** Changes with the stage and at every quarter only: a reader that hears every percent hears nothing else. */
function runningText(task: Task, { t }: Context): string {
  const { state, settings } = task;
  const progress = state.name === 'running' ? state.progress : null;
  if (progress === null) return t.tasks.startingEngine;
  const percent = Math.floor((taskProgress(task) ?? 0) * 4) * 25;
  return t.live.working(settings.prompt, t.tasks.stages[progress.stage], percent);
}
