// The models and LoRAs on the server's machine: by place, with family and size, and why some cannot be used. And those that
// can be downloaded.

import type { ModelSource } from '../../../../protocol/model-info.ts';
import { chosenModel, knownModels } from '../../state/choices.ts';
import {
  groupFiles,
  listKinds,
  loraFiles,
  maxShownFiles,
  modelFiles,
  searchableCount,
  type ListedFile,
} from '../../state/model-list.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Context, Piece } from '../context.ts';
import { createProblemView } from '../problem-view.ts';
import { createFoldersView } from './folders-view.ts';
import { createOffersView } from './offers-view.ts';
import { withoutCommand } from '../texts/without-command.ts';
import { keyedList, setClass, setText, setValue, show } from '../ui.ts';

export function createModelsView(context: Context): Piece {
  const { ui, t, dispatch } = context;
  const m = t.modelList;
  const tabs = listKinds.map((kind) => ({
    kind,
    button: ui.button(m.kinds[kind], 'segment', () => dispatch({ type: 'model-list-chosen', kind })),
  }));
  const filter = ui.el('input', 'field');
  filter.type = 'text';
  filter.placeholder = m.search;
  ui.name(filter, m.search);
  ui.on(filter, 'input', () => dispatch({ type: 'model-list-filtered', filter: filter.value }));
  const looking = ui.el('div', 'hint', m.looking);
  const problem = createProblemView(context);
  const empty = ui.el('div', 'hint');
  const list = ui.el('div', 'models');
  const groups = keyedList<Group>(
    list,
    ({ source }) => source,
    () => createGroup(context),
  );
  const offers = createOffersView(context);
  const folders = createFoldersView(context);
  const notices = ui.el('div', 'notices');
  const lines = keyedList<string>(
    notices,
    (text) => text,
    (text) => ({
      root: ui.el('div', 'hint', m.notLookedAt(text)),
      update: () => undefined,
    }),
  );
  return {
    root: ui.el(
      'div',
      'overlay-body',
      ui.el('div', 'segments', ...tabs.map(({ button }) => button)),
      filter,
      looking,
      problem.root,
      offers.root,
      list,
      empty,
      folders.root,
      notices,
    ),
    update(state) {
      const { overlay } = state;
      if (overlay?.name !== 'models') return;
      for (const { kind, button } of tabs) setClass(button, 'on', kind === overlay.kind);
      const files = filesOf(state);
      show(filter, files.length > searchableCount || overlay.filter !== '');
      setValue(filter, overlay.filter);
      show(looking, overlay.isLooking);
      problem.update(overlay.problem);
      const chosen = chosenModel(state)?.id ?? null;
      const found = groupFiles(files, overlay.filter);
      groups.update(found.map((group) => ({ ...group, kind: overlay.kind, chosen })));
      const isOffers = overlay.kind === 'get';
      const hasOffers = state.downloads.length > 0 || (state.models?.offers.length ?? 0) > 0;
      show(offers.root, isOffers);
      if (isOffers) offers.update(state);
      show(list, !isOffers);
      show(folders.root, !isOffers);
      folders.update(state);
      const isNothing = isOffers ? !hasOffers : found.length === 0;
      const isEmpty = isNothing && !overlay.isLooking && overlay.problem === null;
      setText(empty, overlay.filter === '' ? m.empty[overlay.kind] : m.noMatch);
      show(empty, isEmpty);
      lines.update(isOffers ? [] : (state.models?.notices ?? []));
    },
  };
}

function filesOf(state: PanelState): readonly ListedFile[] {
  if (state.overlay?.name !== 'models' || state.overlay.kind === 'get') return [];
  if (state.overlay.kind === 'loras') return loraFiles(state.models?.loras ?? []);
  return modelFiles(knownModels(state));
}

interface Group {
  readonly source: ModelSource;
  readonly files: readonly ListedFile[];
  readonly kind: (typeof listKinds)[number];
  /** Id of the model that an edit uses. */
  readonly chosen: string | null;
}

function createGroup(context: Context) {
  const { ui, t } = context;
  const title = ui.el('div', 'label');
  const rows = ui.el('div', 'model-rows');
  const more = ui.el('div', 'hint');
  const list = keyedList<Row>(
    rows,
    ({ kind, id }) => `${kind}/${id}`,
    (row) => createRow(context, row),
  );
  return {
    root: ui.el('div', 'model-group', title, rows, more),
    update({ source, files, kind, chosen }: Group): void {
      setText(title, t.modelList.sources[source]);
      list.update(files.slice(0, maxShownFiles).map((file) => ({ ...file, kind, isChosen: file.id === chosen })));
      setText(more, t.modelList.more(files.length - maxShownFiles));
      show(more, files.length > maxShownFiles);
    },
  };
}

interface Row extends ListedFile {
  readonly kind: (typeof listKinds)[number];
  readonly isChosen: boolean;
}

function createRow({ ui, t, dispatch }: Context, { id, kind }: Row) {
  const name = ui.el('span', 'model-title');
  const size = ui.el('span', 'model-size');
  const facts = ui.el('div', 'hint');
  const note = ui.el('div', 'hint');
  const use = ui.button(t.modelList.use, 'small', () => {
    dispatch({ type: 'form-changed', change: { model: id } });
    dispatch({ type: 'overlay-closed' });
  });
  const chosen = ui.el('span', 'badge ok', t.modelList.inUse);
  const unusable = ui.el('span', 'badge problem', t.modelList.unusable);
  const world = ui.el('span', 'badge');
  let title = id;
  const remove = ui.button(t.modelList.remove, 'quiet small', () => {
    const offerKind = kind === 'loras' ? 'lora' : 'checkpoint';
    dispatch({ type: 'overlay-opened', overlay: { name: 'remove-model', kind: offerKind, id, title } });
  });
  const root = ui.el(
    'div',
    'model-row',
    ui.el('div', 'model-head', name, size, use, chosen, unusable),
    ui.el('div', 'model-head facts-row', world, facts, remove),
    note,
  );
  return {
    root,
    update({ info, isChosen }: Row): void {
      const isUsable = info.problem === null;
      ({ title } = info);
      setText(name, title);
      setText(size, info.sizeBytes === null ? '' : t.fileSize(info.sizeBytes));
      setText(facts, [info.family, info.folder].filter((part) => part !== null && part !== '').join(' · '));
      const noted = withoutCommand(info.problem ?? info.goodFor);
      setText(note, noted ?? '');
      // A LoRA is for whatever its model is for.
      show(world, kind === 'models' && isUsable);
      const isPractice = 'vocabulary' in info && info.vocabulary !== null;
      setText(world, isPractice ? t.modelList.practice : t.modelList.footage);
      setClass(world, 'problem-badge', isPractice);
      show(remove, info.source === 'downloaded' || info.source === 'added');
      show(note, noted !== null);
      setClass(root, 'off', !isUsable);
      show(use, kind === 'models' && isUsable && !isChosen);
      show(chosen, kind === 'models' && isChosen);
      show(unusable, !isUsable);
    },
  };
}
