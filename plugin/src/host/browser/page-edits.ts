// Edits without a timeline: records of versions in the browser's storage. "Placed" is the version that is looked at.

import type { EditRecord, EditVersion } from '../edits.ts';
import type { HostTimeline } from '../host.ts';
import { HostError } from '../problems.ts';

/** The little of localStorage that is used. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

const storageKey = 'tokenflow.edits';
const maxEdits = 50;

export function createPageEdits(storage: TextStorage): HostTimeline {
  let edits: readonly EditRecord[] = load();

  function load(): readonly EditRecord[] {
    try {
      const value: unknown = JSON.parse(storage.getItem(storageKey) ?? '[]');
      return Array.isArray(value) ? (value as EditRecord[]) : [];
    } catch {
      // Written by somebody else: the records are a convenience, the results are with the server.
      return [];
    }
  }

  function keep(edit: EditRecord): EditRecord {
    edits = [...edits.filter(({ editId }) => editId !== edit.editId), edit].slice(-maxEdits);
    storage.setItem(storageKey, JSON.stringify(edits));
    return edit;
  }

  function find(editId: string): EditRecord {
    const edit = edits.find((one) => one.editId === editId);
    if (edit !== undefined) return edit;
    throw new HostError('edit-missing', `There is no edit ${editId}.`);
  }

  const noTimeline = (): Promise<never> => Promise.reject(new HostError('host-lacks', 'A web page has no timeline.'));

  return {
    importResult: ({ location }) => Promise.resolve({ resultId: location, path: null }),
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
      return keep({ ...edit, versions, placed: edit.placed === version ? null : edit.placed });
    },
    edits: () => Promise.resolve(edits),
    openOriginal: noTimeline,
    playhead: () => Promise.resolve(null),
  };
}
