// Frames that the user paints on, between the panel and the disk.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UxpFile } from '../../plugin/src/host/premiere/api.ts';
import { openTestProject, type TestProject } from './testing-flow.ts';

let project: TestProject;
beforeEach(async () => {
  project = await openTestProject();
});
afterEach(() => project.close());

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

function pick(name: string): UxpFile {
  const nativePath = path.join(project.folder, name);
  return { name, nativePath, read: () => Promise.resolve(''), write: () => Promise.resolve() };
}

test('a saved frame lies where the user says, and is opened there', async () => {
  const { sim } = project;
  sim.uxp.picks.save = pick('wolf-frame-3.png');
  expect(await sim.open().files.savePicture('wolf-frame-3.png', bytes)).toBe(true);
  const { nativePath } = sim.uxp.picks.save;
  expect(new Uint8Array(await readFile(nativePath))).toEqual(bytes);
  expect(sim.uxp.openedFolders).toEqual([nativePath]);
});

test('nothing is saved or opened after a cancel', async () => {
  const { sim } = project;
  const { files } = sim.open();
  expect(await files.savePicture('wolf-frame-3.png', bytes)).toBe(false);
  expect(await files.openPicture()).toBeNull();
  expect(sim.uxp.openedFolders).toEqual([]);
});

test('a painted frame comes back byte by byte, with its name', async () => {
  const { sim } = project;
  sim.uxp.picks.open = pick('wolf-frame-3.png');
  await writeFile(sim.uxp.picks.open.nativePath, bytes);
  expect(await sim.open().files.openPicture()).toEqual({ name: 'wolf-frame-3.png', bytes });
});
