// Edits without a timeline: records of versions in the browser's storage. "Placed" is the version that is looked at.

import { FieldError, integer, list, nullable, openObject, parse, text } from '../../../../protocol/fields.ts';
import { editVersion, withVersionsOfToday } from '../edit-versions.ts';
import type { PlacedEdit, EditVersion } from '../edits.ts';
import type { HostTimeline } from '../host.ts';
import { HostError } from '../problems.ts';
import { fileSnapshot } from './file-snapshot.ts';
import type { TextStorage } from './text-storage.ts';

const storageKey = 'tokenflow.edits';
const maxEdits = 50;

const keptEdit = openObject({
  editId: text({ min: 1, max: 100 }),
  original: fileSnapshot,
  originalName: text({ max: 1_000 }),
  versions: list(editVersion, 1_000),
  placed: nullable(integer(1, 1_000_000)),
});

/** One that is not as this page writes it is left out. */
function readEdit(value: unknown): PlacedEdit[] {
  try {
    const { editId, original, originalName, versions, placed } = parse(keptEdit, withVersionsOfToday(value), 'edit');
    return [{ editId, original, originalName, place: null, versions, placed }];
  } catch (error) {
    if (error instanceof FieldError) return [];
    throw error;
  }
}

export function createPageEdits(storage: TextStorage): HostTimeline {
  let edits: readonly PlacedEdit[] = load();

  function load(): readonly PlacedEdit[] {
    try {
      const value: unknown = JSON.parse(storage.getItem(storageKey) ?? '[]');
      return Array.isArray(value) ? value.flatMap(readEdit) : [];
    } catch {
      // Written by somebody else: the records are a convenience, the results are with the server.
      return [];
    }
  }

  function keep(edit: PlacedEdit): PlacedEdit {
    const others = edits.filter(({ editId }) => editId !== edit.editId);
    edits = (edit.versions.length === 0 ? others : [...others, edit]).slice(-maxEdits);
    storage.setItem(storageKey, JSON.stringify(edits));
    return edit;
  }

  function find(editId: string): PlacedEdit {
    const edit = edits.find((one) => one.editId === editId);
    if (edit !== undefined) return edit;
    throw new HostError('edit-missing', `There is no edit ${editId}.`);
  }

  const noTimeline = (): Promise<never> => Promise.reject(new HostError('host-lacks', 'A web page has no timeline.'));

  return {
    importResult: ({ location }) => Promise.resolve({ resultId: location, path: null }),
    checkImport: () => Promise.resolve([]),
    // eslint-disable-next-line @typescript-eslint/require-await -- so that what it throws rejects the promise
    async place({ original, originalName, result, recipe, editId }) {
      if (original.kind !== 'file') {
        throw new HostError('host-lacks', 'A web page has no timeline to place on.');
      }
      const earlier = edits.find((edit) =>
        editId === null
          ? edit.original.kind === 'file' && edit.original.fileId === original.fileId
          : edit.editId === editId,
      );
      const versions = earlier?.versions ?? [];
      const version = Math.max(0, ...versions.map((one) => one.version)) + 1;
      const made: EditVersion = { version, recipe, resultId: result.resultId, path: result.path };
      return keep({
        editId: earlier?.editId ?? recipe.jobId,
        original,
        originalName,
        place: null,
        versions: [...versions, made],
        placed: version,
      });
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- so that what it throws rejects the promise
    showVersion: async (editId, version) => keep({ ...find(editId), placed: version }),
    setShown: noTimeline,
    isShown: () => Promise.resolve(false),
    // eslint-disable-next-line @typescript-eslint/require-await -- so that what it throws rejects the promise
    revert: async (editId) => keep({ ...find(editId), placed: null }),
    // eslint-disable-next-line @typescript-eslint/require-await -- so that what it throws rejects the promise
    async forgetVersion(editId, version) {
      const edit = find(editId);
      const versions = edit.versions.filter((one) => one.version !== version);
      const newest = versions.at(-1)?.version ?? null;
      return keep({ ...edit, versions, placed: edit.placed === version ? newest : edit.placed });
    },
    edits: () => Promise.resolve(edits),
    openOriginal: noTimeline,
    playhead: () => Promise.resolve(null),
  };
}
