// The whole panel: link, pages, and what is drawn over them. Redrawn after events, once per turn of the event loop.

import { pages } from '../state/panel-state.ts';
import { isListed, isOver } from '../state/task.ts';
import type { PanelState } from '../state/panel-state.ts';
import { createAdvancedView } from './edit/advanced-view.ts';
import { createApplyView } from './edit/apply-view.ts';
import { createClipView } from './edit/clip-view.ts';
import { createFirstUseView } from './edit/first-use-view.ts';
import { createCompareView } from './compare/compare-view.ts';
import type { Context, Piece } from './context.ts';
import { createStrengthView } from './edit/strength-view.ts';
import { createPreviewStripView } from './edit/preview-strip-view.ts';
import { createLiveView } from './live-view.ts';
import { createLinkPage, createLinkStrip, isUsable } from './link-view.ts';
import { createLoraView } from './edit/lora-view.ts';
import { createModelView } from './edit/model-view.ts';
import { createOverlayView } from './overlay-view.ts';
import { createPresetView } from './edit/preset-view.ts';
import { createPromptView } from './edit/prompt-view.ts';
import { createRegionView } from './edit/region-view.ts';
import { createTasksView } from './tasks-view.ts';
import { createToastView } from './toast-view.ts';
import { createVersionsView } from './versions-view.ts';
import { setClass, setText, show } from './ui.ts';

export function createPanelView(context: Context): Piece {
  const { ui, t, dispatch, env } = context;
  const linkPage = createLinkPage(context);
  const strip = createLinkStrip(context);
  const overlay = createOverlayView(context);
  const toasts = createToastView(context);
  const live = createLiveView(context);

  const tabs = pages.map((page) => ({
    page,
    button: ui.button(t.pages[page], 'tab', () => dispatch({ type: 'page-chosen', page })),
  }));
  const menu = ui.button('?', 'tab tab-menu', () => dispatch({ type: 'overlay-opened', overlay: { name: 'about' } }));
  ui.name(menu, t.overlay.menu);
  const brand = ui.el('div', 'brand brand-small', ui.el('div', 'brand-mark'), ui.el('div', 'brand-name', t.product));
  const head = ui.el('nav', 'head', brand, ...tabs.map(({ button }) => button), menu);
  ui.describe(head, { label: t.pageNames });

  const applying = createApplyView(context);
  const edit: readonly Piece[] = [
    createFirstUseView(context),
    env.page?.createClip(context) ?? createClipView(context),
    createPromptView(context),
    createRegionView(context),
    createStrengthView(context),
    createPresetView(context),
    createModelView(context),
    createLoraView(context),
    createAdvancedView(context),
  ];
  const previewStrip = createPreviewStripView(context);
  const tasks = createTasksView(context);
  const compare = createCompareView(context);
  const versions = createVersionsView(context);
  const sheets = {
    edit: ui.el('div', 'page page-edit', ...edit.map(({ root }) => root)),
    tasks: ui.el('div', 'page page-tasks', previewStrip.root, tasks.root),
    compare: ui.el('div', 'page page-compare', compare.root),
    versions: ui.el('div', 'page page-versions', versions.root),
  };
  const main = ui.el('div', 'main', head, strip.root, ui.el('main', 'pages', ...Object.values(sheets)));
  // Apply is always at hand. A browser keeps it at the lower edge of the form, UXP only where it stands below what scrolls.
  if (env.kind === 'browser') sheets.edit.appendChild(applying.root);
  else main.appendChild(applying.root);
  const root = ui.el('div', `panel ${env.kind}`, linkPage.root, main, overlay.root, toasts.root, live.root);
  const pieces = [live, linkPage, strip, ...edit, applying, previewStrip, tasks, compare, versions, overlay, toasts];

  return {
    root,
    update(state) {
      show(main, isUsable(state));
      for (const { page, button } of tabs) {
        ui.choose(button, page === state.page, 'current');
        if (page === 'edit') setText(button, editLabel(state, context));
      }
      if (env.kind === 'premiere') show(applying.root, state.page === 'edit');
      for (const page of pages) setClass(sheets[page], 'shown', page === state.page);
      // Under the form; on a wide page beside it, always.
      setClass(sheets.tasks, 'shown', state.page === 'edit');
      setClass(root, 'has-tasks', state.previewStrip !== null || state.tasks.some(isListed));
      setClass(root, 'has-free-room', state.compare === null && state.page !== 'versions');
      setClass(root, 'looks-at-edit', state.page === 'edit');
      // In UXP a text field is painted over elements that lie on top of it.
      setClass(root, 'covered', state.overlay !== null);
      const isCovered = state.overlay !== null;
      if (!isCovered) ui.inert(main, false);
      for (const piece of pieces) piece.update(state);
      // Last: an overlay notes what had the focus before.
      if (isCovered) ui.inert(main, true);
    },
  };
}

/** Running work can also be seen from the other pages. */
function editLabel({ tasks }: PanelState, { t }: Context): string {
  const live = tasks.filter((task) => !isOver(task)).length;
  return live === 0 ? t.pages.edit : `${t.pages.edit} (${live})`;
}
