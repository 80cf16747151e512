// How panel and server stand to each other: a whole page while nothing can be done, a strip while a connection is lost.

import { chosenModel, isStopped } from '../state/choices.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { Context, Piece } from './context.ts';
import { createProblemView, describe } from './problem-view.ts';
import { withoutCommand } from './texts/without-command.ts';
import { setClass, setText, show } from './ui.ts';

/** Whether the panel's own pages make sense, or the link's page is all there is to see. */
export function isUsable({ link }: PanelState): boolean {
  return link.name === 'online' || link.name === 'lost';
}

export function createLinkPage(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const { link: l } = t;
  const connecting = ui.el('div', 'link-wait', l.connecting);

  const command = (note: string, text: string): HTMLElement =>
    ui.el(
      'div',
      'fold-body',
      ui.el('p', 'card-note', note),
      ui.el(
        'div',
        'command',
        ui.el('code', 'command-text', text),
        ui.button(l.copy, 'small', () => dispatch({ type: 'copy-pressed', text })),
      ),
    );
  const startCommand = createFold(context, command(l.startCommandText, l.startCommand));
  const pairCommand = createFold(context, command(l.codeHelp, l.pairCommand));

  const startUnreachable = ui.button(l.start, 'primary wide', () => dispatch({ type: 'start-pressed' }));
  const startFailed = ui.el('p', 'card-note warn-text', l.startFailed);
  const unreachable = ui.el(
    'div',
    'card',
    ui.el('h2', 'card-title', l.unreachableTitle),
    ui.el('p', 'card-text', l.unreachableText),
    startUnreachable,
    startFailed,
    ui.button(l.retry, 'quiet small', () => dispatch({ type: 'retry-pressed' })),
    startCommand.root,
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
    pairCommand.root,
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
      setText(startUnreachable, state.start === 'starting' ? l.starting : l.start);
      show(startFailed, state.start === 'failed');
      startCommand.update(state.areCommandsOpen);
      pairCommand.update(state.areCommandsOpen);
      if (link.name === 'unpaired') {
        setText(pair, link.isBusy ? l.pairing : l.pair);
        const { problem } = link;
        refusal.update(problem === null ? null : { ...problem, hint: undefined });
        if (lastName !== 'unpaired') code.focus();
      }
      if (link.name === 'mismatch') {
        mismatchDetails = describe(link.problem);
        setText(mismatchText, withoutCommand(link.problem.message) ?? t.problems[link.problem.code].title);
      }
      if (lastName === 'unpaired' && isUsable(state)) code.value = '';
      lastName = link.name;
    },
  };
}

/** Commands for a terminal, folded away: nobody has to type them. */
function createFold({ ui, t, dispatch }: Context, body: HTMLElement) {
  const arrow = ui.el('span', 'fold-arrow');
  const toggle = ui.button('', 'fold', () => dispatch({ type: 'commands-toggled' }));
  toggle.appendChild(arrow);
  toggle.appendChild(ui.el('span', 'fold-title', t.link.experts));
  return {
    root: ui.el('div', 'experts', toggle, body),
    update(isOpen: boolean): void {
      show(body, isOpen);
      setClass(arrow, 'open', isOpen);
      ui.describe(toggle, { expanded: isOpen });
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
  const start = ui.button(t.link.start, 'small primary', () => dispatch({ type: 'start-pressed' }));
  const startFailed = ui.el('div', 'hint', t.link.startFailed);
  const stopped = ui.el(
    'div',
    'strip warn stopped',
    ui.el('div', 'strip-text', ui.el('div', '', t.link.stopped), startFailed),
    start,
  );
  const noModel = ui.el(
    'div',
    'card strip-card',
    ui.el('h2', 'card-title', t.link.noModelTitle),
    ui.el('p', 'card-text', t.link.noModelText),
    ui.el(
      'div',
      'row actions',
      ui.button(t.firstUse.get, 'primary', () => dispatch({ type: 'get-model-pressed' })),
    ),
  );
  return {
    root: ui.el('div', 'strips', lost, stopped, noModel),
    update(state) {
      show(lost, state.link.name === 'lost' && !isStopped(state));
      show(stopped, isStopped(state));
      show(startFailed, state.start === 'failed');
      setText(start, state.start === 'starting' ? t.link.starting : t.link.start);
      show(noModel, isUsable(state) && chosenModel(state) === null);
    },
  };
}
