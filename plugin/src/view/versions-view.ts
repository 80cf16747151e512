// The edits that there are, each with its versions: bring one back, run it again, compare, see what made it.

import type { PlacedEdit, EditVersion } from '../host/edits.ts';
import type { StorageFacts } from '../../../protocol/messages/session-messages.ts';
import type { PanelState } from '../state/panel-state.ts';
import { nearestStop } from '../state/form.ts';
import type { Context, Piece, ViewEnv } from './context.ts';
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
  const storage = ui.el('div', 'hint storage');
  return {
    root: ui.el('div', 'page-body', empty, list, storage),
    update(state) {
      show(storage, state.storage !== null);
      if (state.storage !== null) setText(storage, storageText(state.storage, context));
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
  ui.hint(revert, t.versions.revertNote);
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
  const grip = ui.el('div', 'card-body version-grip', ui.el('div', 'version-head', number, placed), prompt, facts);
  ui.on(grip, 'dragstart', ({ dataTransfer }) => {
    const text = row === null ? null : dragTextOf(row, env);
    if (dataTransfer === null || text === null) return;
    dataTransfer.setData('text/plain', text);
    dataTransfer.setData('text', text);
    dataTransfer.effectAllowed = 'copyMove';
  });
  const picture = ui.el('img', 'thumbnail');
  // The prompt stands beside it, and Compare below it opens the same.
  picture.alt = '';
  ui.on(picture, 'click', () => dispatch({ type: 'compare-opened', ...about() }));
  const actions = ui.el('div', 'row actions', compare, save, use, rerun, recipe, forget);
  const root = ui.el('div', 'version', ui.el('div', 'card-head', picture, grip), actions);
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
      const canDrag = dragTextOf(next, env) !== null;
      grip.draggable = canDrag;
      setClass(grip, 'can-drag', canDrag);
      grip.title = canDrag ? t.versions.drag : '';
      setClass(root, 'placed', isPlaced);
      show(use, !isPlaced && (env.kind === 'premiere' || next.edit.versions.length > 1));
    },
  };
}

function storageText(storage: StorageFacts, { t }: Context): string {
  const { fileSize, versions: v } = t;
  const { clipsBytes, resultsBytes, cacheBytes, freeBytes } = storage;
  return v.storage(fileSize(resultsBytes), fileSize(clipsBytes), fileSize(cacheBytes), fileSize(freeBytes));
}

/** Null where the version has no file that the host takes in a drag. */
function dragTextOf({ edit, version }: Row, { dragText }: ViewEnv): string | null {
  if (version.path === null || dragText === null) return null;
  return dragText(version.path, `${edit.originalName}: ${version.recipe.settings.prompt}`);
}
