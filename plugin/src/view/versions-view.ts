// The edits that there are, each with its versions: bring one back, run it again, compare, see what made it.

import type { PlacedEdit, EditVersion } from '../host/edits.ts';
import type { PanelState } from '../state/panel-state.ts';
import { nearestStop } from '../state/form.ts';
import type { Context, Piece } from './context.ts';
import { keyedList, setClass, setText, show } from './ui.ts';

interface Row {
  readonly edit: PlacedEdit;
  readonly version: EditVersion;
  readonly thumbnail: string | null;
}

/** An edit, and small pictures by job. */
interface PicturedEdit {
  readonly edit: PlacedEdit;
  readonly thumbnails: PanelState['thumbnails'];
}

export function createVersionsView(context: Context): Piece {
  const { ui, t, env } = context;
  const emptyText = env.kind === 'browser' ? t.versions.emptyBrowser : t.versions.empty;
  const empty = ui.el('div', 'empty', ui.el('div', 'empty-art'), ui.el('div', 'hint', emptyText));
  const list = ui.el('div', 'edits');
  const edits = keyedList<PicturedEdit>(
    list,
    ({ edit }) => edit.editId,
    () => createEdit(context),
  );
  return {
    root: ui.el('div', 'page-body', empty, list),
    update(state) {
      show(empty, state.edits.length === 0);
      // The one that is looked at comes first, then the newest.
      const others = state.edits.filter(({ editId }) => editId !== state.editId).reverse();
      const ordered = [...state.edits.filter(({ editId }) => editId === state.editId), ...others];
      edits.update(ordered.map((edit) => ({ edit, thumbnails: state.thumbnails })));
    },
  };
}

function createEdit(context: Context) {
  const { ui, t, dispatch, env } = context;
  let current: PlacedEdit | null = null;
  const name = ui.el('h2', 'section-title');
  const revert = ui.button(t.versions.revert, 'quiet small', () => {
    if (current !== null) dispatch({ type: 'revert-pressed', editId: current.editId });
  });
  ui.name(revert, t.versions.revertNote);
  const list = ui.el('div', 'versions');
  const versions = keyedList<Row>(
    list,
    ({ version }) => String(version.version),
    () => createVersion(context),
  );
  return {
    root: ui.el('section', 'section edit', ui.el('div', 'section-head', name, revert), list),
    update({ edit, thumbnails }: PicturedEdit): void {
      current = edit;
      setText(name, edit.originalName);
      show(revert, edit.placed !== null && env.kind === 'premiere');
      versions.update(
        [...edit.versions].reverse().map((version) => {
          const thumbnail = thumbnails[version.recipe.jobId] ?? null;
          return { edit, version, thumbnail };
        }),
      );
    },
  };
}

function createVersion({ ui, t, dispatch, env }: Context) {
  let row: Row | null = null;
  const about = (): { editId: string; version: number } => ({
    editId: row?.edit.editId ?? '',
    version: row?.version.version ?? 0,
  });
  const number = ui.el('span', 'version-number');
  const placed = ui.el('span', 'badge', t.versions.placed[env.kind]);
  const prompt = ui.el('div', 'version-prompt');
  const facts = ui.el('div', 'clip-facts');
  const use = ui.button(t.versions.use[env.kind], 'small', () => dispatch({ type: 'version-chosen', ...about() }));
  const forget = ui.button(t.versions.forget, 'quiet small', () =>
    dispatch({ type: 'overlay-opened', overlay: { name: 'forget-version', ...about() } }),
  );
  const compare = ui.button(t.versions.compare, 'small', () => dispatch({ type: 'compare-opened', ...about() }));
  const save = ui.button(t.versions.save, 'small primary', () => dispatch({ type: 'save-pressed', ...about() }));
  show(save, env.kind === 'browser');
  const rerun = ui.button(t.versions.rerun, 'quiet small', () => dispatch({ type: 'rerun-pressed', ...about() }));
  const recipe = ui.button(t.versions.recipe, 'quiet small', () =>
    dispatch({ type: 'overlay-opened', overlay: { name: 'recipe', ...about() } }),
  );
  const picture = ui.el('img', 'thumbnail');
  ui.on(picture, 'click', () => dispatch({ type: 'compare-opened', ...about() }));
  const said = ui.el('div', 'card-body', ui.el('div', 'version-head', number, placed), prompt, facts);
  const actions = ui.el('div', 'row actions', compare, save, use, rerun, recipe, forget);
  const root = ui.el('div', 'version', ui.el('div', 'card-head', picture, said), actions);
  return {
    root,
    update(next: Row): void {
      row = next;
      const { version, recipe: made } = next.version;
      const isPlaced = next.edit.placed === version;
      setText(number, t.versions.version(version));
      setText(prompt, made.settings.prompt);
      picture.alt = t.versions.thumbnail(version);
      setClass(root, 'pictured', next.thumbnail !== null);
      show(picture, next.thumbnail !== null);
      if (next.thumbnail !== null && picture.getAttribute('src') !== next.thumbnail) {
        picture.setAttribute('src', next.thumbnail);
      }
      const { seed, strength } = made.settings;
      setText(facts, `${t.versions.seed(seed)} · ${t.strength.stops[nearestStop(strength)]} · ${made.model}`);
      show(placed, isPlaced);
      setClass(root, 'placed', isPlaced);
      show(use, !isPlaced && (env.kind === 'premiere' || next.edit.versions.length > 1));
      show(forget, !isPlaced);
    },
  };
}
