// Overlays over the pages: recipe, diagnostics, about, and questions that need a confirmation.

import type { Check } from '../../../protocol/diagnostics.ts';
import { maxPresetName } from '../state/presets.ts';
import { serverFacts, versionOf } from '../state/choices.ts';
import type { Overlay, PanelState } from '../state/panel-state.ts';
import type { Context, Piece } from './context.ts';
import { createLicenceView } from './models/licence-view.ts';
import { createModelsView } from './models/models-view.ts';
import { createProblemView } from './problem-view.ts';
import { recipeLines } from './texts/recipe-lines.ts';
import { withoutCommand } from './texts/without-command.ts';
import { keyedList, setText, show } from './ui.ts';

export function createOverlayView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const title = ui.el('h2', 'overlay-title');
  const parts = {
    recipe: createRecipe(context),
    diagnostics: createDiagnostics(context),
    about: createAbout(context),
    models: createModelsView(context),
    licence: createLicenceView(context),
    'remove-model': createQuestion(
      context,
      ({ overlay }) => t.modelList.removeText(overlay?.name === 'remove-model' ? overlay.title : ''),
      t.modelList.removeConfirm,
      ({ overlay }) => {
        if (overlay?.name !== 'remove-model') return;
        dispatch({ type: 'model-remove-confirmed', kind: overlay.kind, name: overlay.id });
      },
    ),
    'forget-version': createQuestion(context, t.overlay.forgetText, t.overlay.forgetConfirm, ({ overlay }) => {
      if (overlay?.name !== 'forget-version') return;
      const { editId, version } = overlay;
      dispatch({ type: 'forget-confirmed', editId, version });
    }),
    unpair: createQuestion(context, t.overlay.unpairText, t.overlay.unpairConfirm, () =>
      dispatch({ type: 'unpair-confirmed' }),
    ),
    'save-preset': createNaming(context),
  } satisfies Record<Overlay['name'], Piece>;
  const titles: Record<Overlay['name'], string> = {
    recipe: t.recipe.title,
    diagnostics: t.overlay.diagnostics,
    about: t.overlay.about,
    models: t.modelList.title,
    licence: t.licence.heading,
    'remove-model': t.modelList.removeTitle,
    'forget-version': t.overlay.forgetTitle,
    unpair: t.overlay.unpairTitle,
    'save-preset': t.presets.saveTitle,
  };
  const close = (): void => dispatch({ type: 'overlay-closed' });
  const closing = ui.button(t.overlay.close, 'quiet small', close);
  const box = ui.el(
    'div',
    'overlay-box',
    ui.el('div', 'section-head', title, closing),
    ...Object.values(parts).map(({ root }) => root),
  );
  ui.describe(box, { role: 'dialog', modal: true });
  const root = ui.el('div', 'overlay gone', box);
  ui.on(root, 'click', (event) => {
    if (event.target === root) close();
  });
  let shown: string | null = null;
  /** What had the focus before the overlay opened. */
  let opener: Element | null = null;
  return {
    root,
    update(state) {
      const { overlay } = state;
      show(root, overlay !== null);
      const isNew = overlay !== null && overlay.name !== shown;
      if (isNew && shown === null) opener = root.ownerDocument.activeElement;
      if (overlay === null && shown !== null) giveBack(opener);
      shown = overlay?.name ?? null;
      if (overlay === null) return;
      setText(title, titles[overlay.name]);
      ui.describe(box, { label: titles[overlay.name] });
      for (const [name, part] of Object.entries(parts)) show(part.root, name === overlay.name);
      parts[overlay.name].update(state);
      if (isNew) (parts[overlay.name].root.querySelector('input') ?? closing).focus();
    },
  };
}

/** The focus goes back to where it came from, if that is still there. */
function giveBack(opener: Element | null): void {
  if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
}

function createRecipe({ ui, t, dispatch }: Context): Piece {
  const list = ui.el('div', 'facts');
  const lines = keyedList<{ readonly label: string; readonly value: string }>(
    list,
    ({ label, value }) => `${label}/${value}`,
    ({ label, value }) => ({
      root: ui.el('div', 'fact', ui.el('span', 'fact-label', label), ui.el('span', 'fact-value', value)),
      update: () => undefined,
    }),
  );
  let about = { editId: '', version: 0 };
  let text = '';
  return {
    root: ui.el(
      'div',
      'overlay-body',
      list,
      ui.el(
        'div',
        'row actions',
        ui.button(t.recipe.load, 'primary', () => dispatch({ type: 'rerun-pressed', ...about })),
        ui.button(t.recipe.copy, '', () => dispatch({ type: 'copy-pressed', text })),
      ),
    ),
    update({ overlay, edits }) {
      if (overlay?.name !== 'recipe') return;
      about = { editId: overlay.editId, version: overlay.version };
      const edit = edits.find(({ editId }) => editId === overlay.editId) ?? null;
      const version = versionOf(edit, overlay.version);
      const facts = version === null ? [] : recipeLines(version.recipe, t);
      text = facts.map(({ label, value }) => `${label}: ${value}`).join('\n');
      lines.update(facts);
    },
  };
}

function createDiagnostics(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const wait = ui.el('div', 'hint', t.overlay.checking);
  const list = ui.el('div', 'checks');
  const checks = keyedList<Check>(
    list,
    ({ name, status, detail }) => `${name}/${status}/${detail}`,
    ({ name, status, detail, advice }) => ({
      root: ui.el(
        'div',
        'check',
        ui.el(
          'div',
          'check-head',
          ui.el('span', 'check-name', name),
          ui.el('span', `badge ${status}`, t.overlay.statuses[status]),
        ),
        ui.el('div', 'hint', withoutCommand(detail) ?? ''),
        ...[withoutCommand(advice)].filter((text) => text !== null).map((text) => ui.el('div', 'hint strong', text)),
      ),
      update: () => undefined,
    }),
  );
  const problem = createProblemView(context);
  let text = '';
  const copy = ui.button(t.overlay.copyDiagnostics, '', () => dispatch({ type: 'copy-pressed', text }));
  const actions = ui.el('div', 'row actions', copy);
  return {
    root: ui.el('div', 'overlay-body', wait, problem.root, list, actions),
    update(state) {
      const { overlay } = state;
      if (overlay?.name !== 'diagnostics') return;
      show(actions, overlay.checks !== null);
      text = overlay.checks === null ? '' : diagnosticsText(overlay.checks, state, context);
      show(wait, overlay.checks === null && overlay.problem === null);
      problem.update(overlay.problem);
      checks.update(overlay.checks ?? []);
    },
  };
}

/** For a report: what runs where, then every check. */
function diagnosticsText(checks: readonly Check[], state: PanelState, { t, env }: Context): string {
  const server = serverFacts(state);
  return [
    `${t.overlay.panelVersion(env.version)}, ${state.host.product}`,
    ...(server === null ? [] : [t.overlay.serverVersion(server.version)]),
    ...checks.map(({ name, status, detail, advice }) => {
      const line = `${name}: ${t.overlay.statuses[status]}. ${detail}`;
      return advice === null ? line : `${line} ${advice}`;
    }),
  ].join('\n');
}

function createAbout({ ui, t, env, dispatch }: Context): Piece {
  const server = ui.el('div', 'hint');
  return {
    root: ui.el(
      'div',
      'overlay-body',
      ui.el('p', 'card-text', t.overlay.aboutText),
      ui.el('div', 'hint', t.overlay.panelVersion(env.version)),
      server,
      ui.el(
        'div',
        'row actions',
        ui.button(t.overlay.diagnostics, '', () =>
          dispatch({
            type: 'overlay-opened',
            overlay: { name: 'diagnostics', checks: null, problem: null },
          }),
        ),
        ui.button(t.overlay.unpairConfirm, '', () => dispatch({ type: 'overlay-opened', overlay: { name: 'unpair' } })),
      ),
    ),
    update(state) {
      const facts = serverFacts(state);
      const device = facts?.device == null ? '' : `, ${facts.device}`;
      setText(server, facts === null ? '' : `${t.overlay.serverVersion(facts.version)}${device}`);
    },
  };
}

function createQuestion(
  { ui, t, dispatch }: Context,
  text: string | ((state: Pick<PanelState, 'overlay'>) => string),
  yes: string,
  onYes: (state: Pick<PanelState, 'overlay'>) => void,
): Piece {
  let overlay: Overlay | null = null;
  const question = ui.el('p', 'card-text');
  return {
    root: ui.el(
      'div',
      'overlay-body',
      question,
      ui.el(
        'div',
        'row actions',
        ui.button(yes, 'primary', () => onYes({ overlay })),
        ui.button(t.overlay.cancel, '', () => dispatch({ type: 'overlay-closed' })),
      ),
    ),
    update(state) {
      overlay = state.overlay;
      setText(question, typeof text === 'string' ? text : text(state));
    },
  };
}

function createNaming({ ui, t, dispatch, env }: Context): Piece {
  const field = ui.el('input', 'field');
  field.type = 'text';
  field.maxLength = maxPresetName;
  field.placeholder = t.presets.namePlaceholder;
  ui.name(field, t.presets.name);
  const save = (): void => {
    const name = field.value.trim();
    if (name === '') return;
    field.value = '';
    dispatch({
      type: 'preset-saved',
      id: `own-${Math.floor(env.random() * 1e9).toString(36)}`,
      name,
    });
  };
  ui.on(field, 'keydown', (event) => {
    if (event.key === 'Enter') save();
  });
  return {
    root: ui.el(
      'div',
      'overlay-body',
      field,
      ui.el(
        'div',
        'row actions',
        ui.button(t.presets.save, 'primary', save),
        ui.button(t.overlay.cancel, '', () => dispatch({ type: 'overlay-closed' })),
      ),
    ),
    update: () => undefined,
  };
}
