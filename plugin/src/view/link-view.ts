// How panel and server stand to each other: a whole page while nothing can be done, a strip while a connection is lost.

import { chosenModel } from '../state/choices.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { Context, Piece } from './context.ts';
import { createProblemView, describe } from './problem-view.ts';
import { setText, show } from './ui.ts';

/** Whether the panel's own pages make sense, or the link's page is all there is to see. */
export function isUsable({ link }: PanelState): boolean {
  return link.name === 'online' || link.name === 'lost';
}

export function createLinkPage(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const { link: l } = t;
  const connecting = ui.el('div', 'link-wait', l.connecting);

  const command = (text: string): HTMLElement =>
    ui.el(
      'div',
      'command',
      ui.el('code', 'command-text', text),
      ui.button(l.copy, 'small', () => dispatch({ type: 'copy-pressed', text })),
    );

  const unreachable = ui.el(
    'div',
    'card',
    ui.el('h2', 'card-title', l.unreachableTitle),
    ui.el('p', 'card-text', l.unreachableText),
    command(l.startCommand),
    ui.el('p', 'card-note', l.unreachableWaiting),
    ui.button(l.retry, 'primary wide', () => dispatch({ type: 'retry-pressed' })),
  );

  const code = ui.el('input', 'field code');
  code.type = 'text';
  code.placeholder = l.codePlaceholder;
  code.autocomplete = 'off';
  ui.name(code, l.codeLabel);
  const enter = (): void => {
    if (code.value.trim() !== '') dispatch({ type: 'code-entered', code: code.value.trim() });
  };
  const pair = ui.button(l.pair, 'primary wide', enter);
  ui.on(code, 'keydown', (event) => {
    if (event.key === 'Enter') enter();
  });
  const refusal = createProblemView(context);
  const unpaired = ui.el(
    'div',
    'card',
    ui.el('h2', 'card-title', l.unpairedTitle),
    ui.el('p', 'card-text', context.env.kind === 'premiere' ? l.unpairedInPremiere : l.unpairedText),
    code,
    refusal.root,
    pair,
    ui.el('p', 'card-note', l.codeHelp),
    command(l.pairCommand),
  );

  let mismatchDetails = '';
  const mismatchText = ui.el('div', 'card-note');
  const mismatch = ui.el(
    'div',
    'card',
    ui.el('h2', 'card-title', l.mismatchTitle),
    ui.el('p', 'card-text', l.mismatchText),
    mismatchText,
    ui.button(t.copyDetails, 'quiet small', () => dispatch({ type: 'copy-pressed', text: mismatchDetails })),
    ui.button(l.retry, 'primary wide', () => dispatch({ type: 'retry-pressed' })),
  );

  const logo = ui.el('div', 'brand', ui.el('div', 'brand-mark'), ui.el('div', 'brand-name', t.product));
  const root = ui.el('div', 'link-page', logo, connecting, unreachable, unpaired, mismatch);
  let lastName = '';
  return {
    root,
    update(state) {
      const { link } = state;
      show(root, !isUsable(state));
      show(connecting, link.name === 'connecting');
      show(unreachable, link.name === 'unreachable');
      show(unpaired, link.name === 'unpaired');
      show(mismatch, link.name === 'mismatch');
      if (link.name === 'unpaired') {
        setText(pair, link.isBusy ? l.pairing : l.pair);
        const { problem } = link;
        refusal.update(problem === null ? null : { ...problem, hint: undefined });
        if (lastName !== 'unpaired') code.focus();
      }
      if (link.name === 'mismatch') {
        mismatchDetails = describe(link.problem);
        setText(mismatchText, link.problem.message);
      }
      if (lastName === 'unpaired' && isUsable(state)) code.value = '';
      lastName = link.name;
    },
  };
}

/** Above the pages: the connection is lost for now, or there is no model. */
export function createLinkStrip({ ui, t, dispatch }: Context): Piece {
  const lost = ui.el(
    'div',
    'strip warn',
    ui.el('span', 'strip-text', t.link.lost),
    ui.button(t.link.retry, 'small', () => dispatch({ type: 'retry-pressed' })),
  );
  const command = t.link.modelCommand;
  const noModel = ui.el(
    'div',
    'card strip-card',
    ui.el('h2', 'card-title', t.link.noModelTitle),
    ui.el('p', 'card-text', t.link.noModelText),
    ui.el(
      'div',
      'command',
      ui.el('code', 'command-text', command),
      ui.button(t.link.copy, 'small', () => dispatch({ type: 'copy-pressed', text: command })),
    ),
  );
  return {
    root: ui.el('div', 'strips', lost, noModel),
    update(state) {
      show(lost, state.link.name === 'lost');
      show(noModel, isUsable(state) && chosenModel(state) === null);
    },
  };
}
