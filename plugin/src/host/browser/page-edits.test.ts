import { describe, expect, test } from 'vitest';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import type { PlaceRequest } from '../edits.ts';
import { createPageEdits } from './page-edits.ts';
import type { TextStorage } from './text-storage.ts';

function createStorage(): TextStorage {
  const texts = new Map<string, string>();
  return {
    getItem: (key) => texts.get(key) ?? null,
    setItem: (key, text) => void texts.set(key, text),
    removeItem: (key) => void texts.delete(key),
  };
}

const request = (jobId: string, editId: string | null = null): PlaceRequest => ({
  original: { kind: 'file', fileId: 'f', fileName: 'f.mov', sizeBytes: 1, startSeconds: null, endSeconds: null },
  originalName: 'f.mov',
  result: { resultId: jobId, path: null },
  recipe: { jobId, settings: { ...defaultSettings(), prompt: 'a fox' }, model: 'demo', createdAt: '' },
  hasAudio: null,
  editId,
  evenIfChanged: false,
});

describe('edits of a web page', () => {
  test('of the same file are versions of one edit, the newest current', async () => {
    const edits = createPageEdits(createStorage());
    await edits.place(request('a'));
    const edit = await edits.place(request('b'));
    expect(edit).toMatchObject({ placed: 2, versions: [{ version: 1 }, { version: 2 }] });
    expect(await edits.edits()).toHaveLength(1);
  });

  test('are there again after the page was loaded anew', async () => {
    const storage = createStorage();
    const { editId } = await createPageEdits(storage).place(request('a'));
    expect(await createPageEdits(storage).edits()).toMatchObject([{ editId }]);
  });

  test('of an earlier version are read by the names of today, and what somebody else has written is left out', async () => {
    const storage = createStorage();
    const { recipe } = request('a');
    const { pipeline: schedule, initialNoise: noise, ...others } = recipe.settings;
    const edit = await createPageEdits(storage).place(request('a'));
    const versions = edit.versions.map((version) => ({
      ...version,
      recipe: { ...recipe, settings: { ...others, schedule, noise } },
    }));
    storage.setItem('tokenflow.edits', JSON.stringify([{ ...edit, versions }, { editId: 'other' }, null]));
    expect(await createPageEdits(storage).edits()).toEqual([edit]);
  });

  test('show another version, lose one, and keep their numbers', async () => {
    const edits = createPageEdits(createStorage());
    const { editId } = await edits.place(request('a'));
    await edits.place(request('b'));
    expect((await edits.showVersion(editId, 1)).placed).toBe(1);
    expect((await edits.forgetVersion(editId, 1)).placed).toBe(2);
    expect((await edits.place(request('c', editId))).versions.map(({ version }) => version)).toEqual([2, 3]);
    await edits.forgetVersion(editId, 3);
    expect((await edits.forgetVersion(editId, 2)).versions).toEqual([]);
    expect(await edits.edits()).toEqual([]);
    await expect(edits.showVersion('other', 1)).rejects.toMatchObject({ code: 'edit-missing' });
  });
});
