import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPartialFile, removePartialFiles } from './partial-file.ts';
import { makeFolder } from './testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeEach(async () => (folder = await makeFolder()));
afterEach(() => folder.remove());

test('commit replaces what was there; discard after it changes nothing', async () => {
  const file = path.join(folder.path, 'out.mov');
  await writeFile(file, 'older');
  const partial = await createPartialFile(file);
  await writeFile(partial.path, 'newer');
  expect(await readFile(file, 'utf8')).toBe('older');
  await partial.commit();
  await partial.discard();
  expect(await readdir(folder.path)).toEqual(['out.mov']);
  expect(await readFile(file, 'utf8')).toBe('newer');
});

test('leftovers of a killed process are removed, and nothing else', async () => {
  const file = path.join(folder.path, 'out.mov');
  await createPartialFile(file);
  await createPartialFile(file);
  const other = await createPartialFile(path.join(folder.path, 'out.2.mov'));
  await writeFile(path.join(folder.path, '.out.notes.part.mov'), '');
  await removePartialFiles(file);
  expect((await readdir(folder.path)).sort()).toEqual([path.basename(other.path), '.out.notes.part.mov'].sort());
});
