// Edits on their way, and those that have ended: what each does, how far it is, and what can be done about it.

import type { Notifications } from '../host/host.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { ProblemCode } from '../state/problem.ts';
import { isListed, isOnServer, isOver, taskProgress, type Task } from '../state/task.ts';
import type { Context, Piece } from './context.ts';
import { createProblemView } from './problem-view.ts';
import { keyedList, setClass, setText, show } from './ui.ts';

export function createTasksView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const list = ui.el('div', 'tasks');
  const finishedList = ui.el('div', 'tasks');
  const cards = (parent: HTMLElement) =>
    keyedList<Row>(
      parent,
      ({ task }) => task.key,
      ({ task }) => createTask(context, task.key),
    );
  const tasks = cards(list);
  const finishedTasks = cards(finishedList);
  const clear = ui.button(t.tasks.clearFinished, 'quiet small', () => dispatch({ type: 'finished-dismissed' }));
  const head = ui.el('div', 'section-head', ui.el('h2', 'section-title', t.tasks.finished), clear);
  const working = ui.el('section', 'section', ui.el('h2', 'section-title', t.tasks.title), list);
  const finished = ui.el('section', 'section finished', head, finishedList);
  const root = ui.el('div', 'task-lists', working, finished);
  let newest: string | null = null;
  return {
    root,
    update(state) {
      const listed = state.tasks.filter(isListed);
      const [onTheirWay, ended] = [listed.filter((task) => !isOver(task)), listed.filter(isOver)];
      show(working, onTheirWay.length > 0);
      show(finished, ended.length > 0);
      show(clear, ended.length > 1);
      tasks.update(onTheirWay.map((task) => toRow(task, state)));
      finishedTasks.update(ended.map((task) => toRow(task, state)));
      const [task] = onTheirWay;
      const isNew = task !== undefined && task.key !== newest && !isOver(task);
      newest = task?.key ?? null;
      // A user who pressed Apply wants to see that something happens.
      if (isNew) working.scrollIntoView();
    },
  };
}

interface Row {
  readonly task: Task;
  /** What it looks like, or its result does. */
  readonly pictureUrl: string | null;
  readonly notifications: Notifications;
}

function toRow(task: Task, { growing, thumbnails, notifications }: PanelState): Row {
  const jobId = task.jobId ?? '';
  const pictureUrl = isOver(task) ? thumbnails[jobId] : growing[jobId];
  return { task, pictureUrl: pictureUrl ?? null, notifications };
}

function createTask(context: Context, key: string) {
  const { ui, t, dispatch, env } = context;
  let task: Task | null = null;
  let drawn: Row | null = null;
  const prompt = ui.el('div', 'task-prompt');
  const clip = ui.el('div', 'task-clip');
  const isPreview = ui.el('span', 'badge task-kind', t.tasks.preview);
  const step = ui.el('span', 'task-step');
  const left = ui.el('span', 'task-left');
  const fill = ui.el('div', 'bar-fill');
  const bar = ui.el('div', 'bar', fill);
  ui.describe(bar, { role: 'progressbar', valuemin: 0, valuemax: 100 });
  const problem = createProblemView(context);
  const action = (label: string, type: TaskAction, className = ''): HTMLButtonElement =>
    ui.button(label, `small ${className}`, () => dispatch({ type, key }));
  const pause = action(t.tasks.pause, 'task-pause-pressed');
  const resume = action(t.tasks.resume, 'task-resume-pressed', 'primary');
  const cancel = action(t.tasks.cancel, 'task-cancel-pressed', 'quiet');
  const placeAnyway = action(t.tasks.placeAnyway, 'task-place-anyway-pressed', 'primary');
  const pickPreset = action(t.tasks.pickPreset, 'task-pick-preset-pressed');
  const retry = action(t.tasks.retry, 'task-retry-pressed', 'primary');
  const dismiss = action(t.tasks.dismiss, 'task-dismissed', 'quiet');
  const compare = ui.button(t.tasks.compare, 'small primary', () => {
    if (task?.state.name !== 'done') return;
    const { editId, version } = task.state;
    dispatch({ type: 'compare-opened', editId, version });
  });
  const save = ui.button(t.tasks.save, 'small', () => {
    if (task?.state.name !== 'done') return;
    const { editId, version } = task.state;
    dispatch({ type: 'save-pressed', editId, version });
  });
  const tellMe = ui.button(t.tasks.tellMe, 'small quiet', () => {
    void env.page?.attention.ask().then((notifications) => dispatch({ type: 'notifications-answered', notifications }));
  });
  const picture = ui.el('img', 'task-picture');
  picture.alt = t.tasks.soFar;
  const head = ui.el('div', 'card-head', picture, ui.el('div', 'card-body', isPreview, prompt, clip));
  const root = ui.el(
    'div',
    'task',
    head,
    bar,
    ui.el('div', 'task-line', step, ui.el('span', 'grow'), left),
    problem.root,
    ui.el('div', 'row actions', compare, save, retry, pickPreset, placeAnyway, resume, pause, cancel, tellMe, dismiss),
  );
  return {
    root,
    update(row: Row): void {
      const { task: next, pictureUrl, notifications } = row;
      if (next === task && pictureUrl === drawn?.pictureUrl && notifications === drawn.notifications) return;
      task = next;
      drawn = row;
      const { state } = next;
      show(picture, pictureUrl !== null);
      if (pictureUrl !== null && picture.getAttribute('src') !== pictureUrl) picture.setAttribute('src', pictureUrl);
      setClass(root, 'pictured', pictureUrl !== null);
      setText(prompt, next.settings.prompt);
      show(isPreview, next.settings.preview);
      setText(clip, next.clipName);
      const progress = taskProgress(next);
      fill.style.width = `${(progress ?? 0) * 100}%`;
      setClass(bar, 'unsure', progress === null && !isOver(next));
      ui.describe(bar, {
        valuenow: progress === null ? null : Math.round(progress * 100),
        label: next.settings.prompt,
      });
      show(bar, !isOver(next));
      setText(step, stepText(next, context));
      setText(left, leftText(next, context));
      problem.update('problem' in state ? state.problem : null);
      const isWorking = state.name === 'running' || state.name === 'queued';
      show(pause, isWorking && next.jobId !== null && !next.isCanceling && next.asked === null);
      show(resume, state.name === 'paused' && !next.isCanceling && next.asked === null);
      show(save, state.name === 'done' && env.kind === 'browser');
      show(tellMe, isWorking && !next.isCanceling && notifications === 'unasked');
      show(cancel, !isOver(next) && !next.isCanceling && state.name !== 'placing');
      show(retry, state.name === 'failed' || state.name === 'unplaced' || state.name === 'canceled');
      show(placeAnyway, state.name === 'unplaced' && state.problem.code === 'timeline-changed');
      show(pickPreset, state.name === 'failed' && isAboutPreset(state.problem.code));
      show(compare, state.name === 'done');
      show(dismiss, isOver(next));
      setClass(root, 'over', isOver(next));
      setClass(root, 'live', isOnServer(next));
    },
  };
}

type TaskAction =
  | 'task-cancel-pressed'
  | 'task-pause-pressed'
  | 'task-resume-pressed'
  | 'task-retry-pressed'
  | 'task-place-anyway-pressed'
  | 'task-pick-preset-pressed'
  | 'task-dismissed';

/** Whether another encoding preset may help. */
function isAboutPreset(code: ProblemCode): boolean {
  return code === 'preset-missing' || code === 'export-refused' || code === 'export-failed';
}

function stepText({ state, isCanceling, asked }: Task, { t, env }: Context): string {
  if (isCanceling) return t.tasks.canceling;
  if (asked !== null) return asked === 'pause' ? t.tasks.pausing : t.tasks.startingEngine;
  switch (state.name) {
    case 'exporting':
      return t.tasks.exporting;
    case 'sending':
      return t.tasks.sending;
    case 'queued':
      return state.position === null || state.position === 0 ? t.tasks.queued : t.tasks.queuedBehind(state.position);
    case 'running': {
      if (state.progress === null || state.isStarting) return t.tasks.startingEngine;
      const { stage, step, steps } = state.progress;
      return `${t.tasks.stages[stage]} ${steps > 1 ? t.tasks.step(step, steps) : ''}`.trim();
    }
    case 'paused':
      return t.tasks.paused;
    case 'fetching':
      return t.tasks.fetching;
    case 'placing':
      return t.tasks.placing[env.kind];
    case 'done':
      return t.tasks.done;
    case 'canceled':
      return t.tasks.canceled;
    // These have no card.
    case 'previewed':
    case 'dropped':
    case 'unplaced':
    case 'failed':
      return '';
  }
}

function leftText({ state, isCanceling }: Task, { t }: Context): string {
  if (state.name !== 'running' || state.isStarting || isCanceling) return '';
  const seconds = state.progress?.etaSeconds ?? null;
  return seconds === null ? '' : t.tasks.left(t.duration(seconds));
}
