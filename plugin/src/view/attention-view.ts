// What a page can do to be noticed while another one is looked at: its title tells how far an edit is and that one has ended,
// and the system tells it too, where the user has allowed that.

import type { PanelState } from '../state/panel-state.ts';
import { isListed, isOver, taskProgress, type Task } from '../state/task.ts';
import type { Attention } from './attention.ts';
import type { Context } from './context.ts';

/** Returns what is to be called with every state. */
export function createAttentionView({ t, dispatch }: Context, attention: Attention): (state: PanelState) => void {
  /** Tasks that were over when they were last looked at; null before the first state that has them. */
  let known: ReadonlySet<string> | null = null;
  let outcome: 'done' | 'failed' | null = null;
  let shown: PanelState | null = null;

  function draw(): void {
    if (shown === null) return;
    const running = shown.tasks.filter((task) => isListed(task) && !isOver(task));
    const [first] = running.map((task) => taskProgress(task)).filter((share) => share !== null);
    if (outcome !== null) attention.setTitle(outcome === 'done' ? t.attention.doneTitle : t.attention.failedTitle);
    else if (running.length > 0) attention.setTitle(t.attention.working(Math.floor((first ?? 0) * 100)));
    else attention.setTitle(t.product);
  }

  function noteEnd({ state, settings }: Task, { notifications }: PanelState): void {
    if (!attention.isHidden() || settings.preview) return;
    if (state.name !== 'done' && state.name !== 'failed') return;
    outcome = state.name;
    if (notifications === 'allowed') attention.tell(t.attention[state.name], settings.prompt);
  }

  attention.onShown(() => {
    outcome = null;
    draw();
  });
  dispatch({ type: 'notifications-answered', notifications: attention.notifications() });
  return (state) => {
    shown = state;
    const over = state.tasks.filter(isOver);
    if (known !== null) for (const task of over) if (!known.has(task.key)) noteEnd(task, state);
    known = new Set(over.map(({ key }) => key));
    draw();
  };
}
