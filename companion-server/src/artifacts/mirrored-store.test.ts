// Artifacts that several machines share, each with a mirror of its own.

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDataFolder } from '../../../test/artifact-fixture.ts';
import { describeArtifactStore, makeArrivals } from '../../../test/contracts/artifact-store.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { openMirroredArtifacts } from './mirrored-store.ts';
import type { ObjectStorage } from './object-storage.ts';
import { createSharedFolder } from './shared-folder.ts';

async function openOn(storage: ObjectStorage): Promise<ArtifactStore> {
  return openMirroredArtifacts({ storage, mirrorDir: join(await makeDataFolder(), 'mirror') });
}

describeArtifactStore('a shared folder', async () => {
  const storage = createSharedFolder(await makeDataFolder());
  return { arrivals: await makeArrivals(), open: () => openOn(storage) };
});

/** Writes the files of a step into a work folder, with a pointer that names the content of the other. */
async function writeStep(work: string, latents: string): Promise<void> {
  await mkdir(work, { recursive: true });
  await writeFile(join(work, 'edit.latents'), latents);
  await writeFile(join(work, 'resume-point.json'), createHash('sha256').update(latents).digest('hex'));
}

async function stepIn(work: string): Promise<string> {
  const latents = await readFile(join(work, 'edit.latents'), 'utf8');
  const pointer = await readFile(join(work, 'resume-point.json'), 'utf8');
  expect(pointer).toBe(createHash('sha256').update(latents).digest('hex'));
  return latents;
}

describe('a work folder on a shared folder', () => {
  test('is for another machine as it was after the last step that was stored whole', async () => {
    const root = await makeDataFolder();
    const storage = createSharedFolder(root);
    let writes = Infinity;
    const failing: ObjectStorage = {
      ...storage,
      write: (key, source) =>
        writes-- > 0 ? storage.write(key, source) : Promise.reject(new Error('The link is down.')),
    };
    const first = await openOn(failing);
    const work = await first.localPath('jobs/j/work');
    await writeStep(work, 'first step');
    await first.commit('jobs/j/work');
    await writeStep(work, 'second step');
    for (const allowed of [0, 1, 2]) {
      writes = allowed;
      await expect(first.commit('jobs/j/work')).rejects.toThrow('The link is down.');
      const second = await openOn(storage);
      expect(await stepIn(await second.localPath('jobs/j/work'))).toBe('first step');
    }
    writes = Infinity;
    await first.commit('jobs/j/work');
    expect(await stepIn(await (await openOn(storage)).localPath('jobs/j/work'))).toBe('second step');
    expect(await readdir(join(root, 'jobs', 'j', 'work'))).toHaveLength(3);
  });

  test('goes back on a machine to what another one has stored since', async () => {
    const storage = createSharedFolder(await makeDataFolder());
    const [first, second] = [await openOn(storage), await openOn(storage)];
    const work = await first.localPath('jobs/j/work');
    await writeStep(work, 'first step');
    await first.commit('jobs/j/work');
    await writeStep(work, 'a step that was never stored');
    await writeFile(join(work, 'unstored.latents'), 'x');
    const other = await second.localPath('jobs/j/work');
    await writeStep(other, 'second step of the other');
    await second.commit('jobs/j/work');
    expect(await first.localPath('jobs/j/work')).toBe(work);
    expect(await stepIn(work)).toBe('second step of the other');
    expect((await readdir(work)).toSorted()).toEqual(['edit.latents', 'resume-point.json']);
  });

  test('sends only what has changed since the last step', async () => {
    const storage = createSharedFolder(await makeDataFolder());
    const written: (string | Uint8Array)[] = [];
    const store = await openOn({
      ...storage,
      write(key, source) {
        written.push(source);
        return storage.write(key, source);
      },
    });
    const work = await store.localPath('jobs/j/work');
    await writeStep(work, 'first step');
    await writeFile(join(work, 'source.latents'), 'of the clip');
    await store.commit('jobs/j/work');
    written.length = 0;
    await writeStep(work, 'second step');
    await store.commit('jobs/j/work');
    // The latents, the pointer and the manifest.
    expect(written).toHaveLength(3);
    expect(await readFile(join(await (await openOn(storage)).localPath('jobs/j/work'), 'source.latents'), 'utf8')).toBe(
      'of the clip',
    );
  });
});

describe('a shared folder', () => {
  test('ends a removal that a process did not live to end, and keeps what was written under the same id since', async () => {
    const storage = createSharedFolder(await makeDataFolder());
    const store = await openOn({ ...storage, delete: () => Promise.reject(new Error('The process is dead.')) });
    const file = join(await makeArrivals(), 'arriving');
    for (const name of ['result.mov', 'work/edit.latents']) {
      await writeFile(file, name);
      await store.put(`jobs/j/${name}`, file);
    }
    await expect(store.remove('jobs/j')).rejects.toThrow('The process is dead.');
    await writeFile(file, 'the result of a new attempt');
    await store.put('jobs/j/result.mov', file);
    const after = await openOn(storage);
    expect(await after.list('jobs/j')).toEqual(['jobs/j/result.mov']);
    expect(await storage.listBelow('.removals')).toEqual([]);
  });

  test('reads an artifact again that another machine has replaced', async () => {
    const storage = createSharedFolder(await makeDataFolder());
    const [first, second] = [await openOn(storage), await openOn(storage)];
    const file = join(await makeArrivals(), 'arriving');
    await writeFile(file, 'older');
    await first.put('clips/a.mov', file);
    expect(await readFile(await second.localPath('clips/a.mov'), 'utf8')).toBe('older');
    await writeFile(file, 'newer');
    await first.put('clips/a.mov', file);
    expect(await readFile(await second.localPath('clips/a.mov'), 'utf8')).toBe('newer');
    await rm(await second.localPath('clips/a.mov'));
    expect(await readFile(await second.localPath('clips/a.mov'), 'utf8')).toBe('newer');
  });
});
