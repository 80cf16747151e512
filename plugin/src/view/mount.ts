// Puts the panel into a page and keeps it equal to the state.

import type { Store } from '../state/store.ts';
import { createAttentionView } from './attention-view.ts';
import type { ViewEnv } from './context.ts';
import { eventOfKey } from './keys.ts';
import { createPanelView } from './panel-view.ts';
import { textsFor } from './texts/strings.ts';
import { createUi, setClass } from './ui.ts';

/** How long a message of success stays. */
const toastMs = 4_000;

export interface MountOptions {
  readonly root: HTMLElement;
  readonly store: Store;
  readonly env: ViewEnv;
  /** As `en-GB`. */
  readonly language: string;
  readonly onError: (error: unknown) => void;
}

export function mountPanel({ root, store, env, language, onError }: MountOptions): void {
  const page = root.ownerDocument;
  const ui = createUi(page, onError, env.page?.accessibility ?? null);
  const context = { ui, t: textsFor(language), dispatch: store.dispatch, env };
  const view = createPanelView(context);
  const drawAttention = env.page === null ? null : createAttentionView(context, env.page.attention);
  root.appendChild(view.root);
  let isDue = false;

  function draw(): void {
    isDue = false;
    try {
      setClass(page.body, 'dark', store.state.theme === 'dark');
      setClass(page.body, 'light', store.state.theme === 'light');
      view.update(store.state);
      drawAttention?.(store.state);
    } catch (error) {
      onError(error);
    }
  }

  store.subscribe((event, state) => {
    if (event.type === 'toast-raised' && event.problem === null) {
      const id = state.toasts.at(-1)?.id;
      if (id !== undefined) setTimeout(() => store.dispatch({ type: 'toast-closed', id }), toastMs);
    }
    if (isDue) return;
    isDue = true;
    // UXP has neither requestAnimationFrame nor queueMicrotask.
    void Promise.resolve().then(draw);
  });
  ui.on(page.body, 'keydown', (event) => {
    const target = event.target as HTMLElement | null;
    const tag = target?.tagName.toLowerCase() ?? '';
    const pressed = eventOfKey(
      {
        key: event.key,
        shiftKey: event.shiftKey,
        isCommand: event.ctrlKey || event.altKey || event.metaKey,
        isInField: ['textarea', 'select'].includes(tag) || (tag === 'input' && event.key !== 'Escape'),
        isOnButton: tag === 'button',
      },
      store.state,
    );
    if (pressed === null) return;
    event.preventDefault();
    store.dispatch(pressed);
  });
  draw();
}
