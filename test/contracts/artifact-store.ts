// What every ArtifactStore keeps to.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ArtifactStore } from '../../companion-server/src/artifacts/artifact-store.ts';
import type { ArtifactId } from '../../companion-server/src/artifacts/ids.ts';

/** What is kept, whoever opens it. */
export interface KeptArtifacts {
  /** The store of another process on the same artifacts. */
  open(): Promise<ArtifactStore>;
  /** Where a file may lie that is to be put. */
  readonly arrivals: string;
}

/** Declares the tests. `makeArtifacts`: of which there are none yet; called within a test. */
export function describeArtifactStore(name: string, makeArtifacts: () => Promise<KeptArtifacts>): void {
  async function openNew() {
    const kept = await makeArtifacts();
    const store = await kept.open();
    const put = async (id: ArtifactId, content: string): Promise<void> => {
      const file = join(kept.arrivals, 'arriving');
      await writeFile(file, content);
      await store.put(id, file);
      expect(existsSync(file)).toBe(false);
    };
    return { store, put, open: () => kept.open() };
  }

  async function contentOf(store: ArtifactStore, id: ArtifactId, firstByte = 0, pieceBytes = 4): Promise<string> {
    const reader = await store.read(id, firstByte);
    const buffer = new Uint8Array(pieceBytes);
    let text = '';
    for (;;) {
      const count = await reader.read(buffer);
      if (count === 0) break;
      text += Buffer.from(buffer.subarray(0, count)).toString();
    }
    await reader.close();
    return text;
  }

  describe(`${name} as a store of artifacts`, () => {
    test('takes over a file, and gives its size and its bytes from any of them on', async () => {
      const { store, put } = await openNew();
      await put('clips/a.mov', 'ten bytes.');
      expect(await store.facts('clips/a.mov')).toEqual({ sizeBytes: 10 });
      expect(await contentOf(store, 'clips/a.mov')).toBe('ten bytes.');
      expect(await contentOf(store, 'clips/a.mov', 4)).toBe('bytes.');
      expect(await contentOf(store, 'clips/a.mov', 10)).toBe('');
    });

    test('has the newer of two files that were put under one id', async () => {
      const { store, put } = await openNew();
      await put('clips/a.mov', 'older');
      await readFile(await store.localPath('clips/a.mov'));
      await put('clips/a.mov', 'newer one');
      expect(await contentOf(store, 'clips/a.mov')).toBe('newer one');
      expect(await readFile(await store.localPath('clips/a.mov'), 'utf8')).toBe('newer one');
    });

    test('knows nothing of what is not there', async () => {
      const { store } = await openNew();
      expect(await store.facts('jobs/j/result.mov')).toBeNull();
      expect(await store.list('jobs/j')).toEqual([]);
      await expect(
        store.read('jobs/j/result.mov', 0).then((reader) => reader.read(new Uint8Array(1))),
      ).rejects.toThrow();
      await store.remove('jobs/j');
      await (await store.withdraw('jobs/j/result.mov')).delete();
      await (await store.withdraw('jobs/j/result.mov')).restore();
      expect(await store.facts('jobs/j/result.mov')).toBeNull();
    });

    test('gives a path on this machine to read an artifact at', async () => {
      const { store, put, open } = await openNew();
      await put('clips/a.mov', 'clip');
      const path = await store.localPath('clips/a.mov');
      expect([isAbsolute(path), path.endsWith('a.mov')]).toEqual([true, true]);
      expect(await readFile(path, 'utf8')).toBe('clip');
      expect(await readFile(await (await open()).localPath('clips/a.mov'), 'utf8')).toBe('clip');
    });

    test('keeps what was written at the path of a file or of a folder when it is committed', async () => {
      const { store, open } = await openNew();
      const work = await store.localPath('jobs/j/work');
      await mkdir(work, { recursive: true });
      await writeFile(join(work, 'edit.latents'), 'latents');
      await writeFile(join(work, 'resume-point.json'), '{}');
      await store.commit('jobs/j/work');
      const result = await store.localPath('jobs/j/result.mov');
      await mkdir(dirname(result), { recursive: true });
      await writeFile(result, 'result');
      await store.commit('jobs/j/result.mov');
      const other = await open();
      expect((await other.list('jobs/j')).toSorted()).toEqual(['jobs/j/result.mov', 'jobs/j/work']);
      expect((await other.list('jobs/j/work')).toSorted()).toEqual([
        'jobs/j/work/edit.latents',
        'jobs/j/work/resume-point.json',
      ]);
      expect(await other.facts('jobs/j/work')).toBeNull();
      expect(await other.facts('jobs/j/result.mov')).toEqual({ sizeBytes: 6 });
      expect(await readFile(join(await other.localPath('jobs/j/work'), 'edit.latents'), 'utf8')).toBe('latents');
    });

    test('has nothing at the path of an artifact that nobody has written', async () => {
      const { store } = await openNew();
      expect(existsSync(await store.localPath('jobs/j/work'))).toBe(false);
      expect(await store.list('jobs')).toEqual([]);
    });

    test('removes a file, or a folder with all that is in it, and nothing beside it', async () => {
      const { store, put, open } = await openNew();
      await put('jobs/j/result.mov', 'x');
      await put('jobs/j/work/edit.latents', 'y');
      await put('jobs/jj/result.mov', 'z');
      const path = await store.localPath('jobs/j/result.mov');
      await store.remove('jobs/j/work');
      expect(await store.list('jobs/j')).toEqual(['jobs/j/result.mov']);
      await store.remove('jobs/j');
      expect(existsSync(path)).toBe(false);
      expect(await (await open()).list('jobs')).toEqual(['jobs/jj']);
    });

    test('withdraws a file at once, and deletes it or puts it back', async () => {
      const { store, put } = await openNew();
      await put('clips/a.mov', 'clip');
      const first = await store.withdraw('clips/a.mov');
      expect(await store.facts('clips/a.mov')).toBeNull();
      await first.restore();
      expect(await contentOf(store, 'clips/a.mov')).toBe('clip');
      const second = await store.withdraw('clips/a.mov');
      await put('clips/a.mov', 'the same again');
      await second.delete();
      expect(await contentOf(store, 'clips/a.mov')).toBe('the same again');
    });

    test('finds nothing of a withdrawal that a process did not live to end', async () => {
      const { store, put, open } = await openNew();
      await put('clips/a.mov', 'clip');
      await put('clips/b.mov', 'clip');
      await store.withdraw('clips/a.mov');
      expect(await (await open()).list('clips')).toEqual(['clips/b.mov']);
    });

    test('sets aside what nobody knows', async () => {
      const { store, put } = await openNew();
      await put('clips/a clip of nobody.mov', 'x');
      await store.setAside('clips/a clip of nobody.mov');
      expect(await store.list('clips')).toEqual([]);
    });

    test.each(['', '.', '..', 'clips/../../secret', '/etc/passwd', 'clips//a', 'clips\\..\\a', 'clips/'])(
      'refuses %j as an id',
      async (id) => {
        const { store } = await openNew();
        const attempts: (() => Promise<unknown>)[] = [
          () => store.localPath(id),
          () => store.facts(id),
          () => store.list(id),
          () => store.remove(id),
        ];
        for (const attempt of attempts) {
          await expect(attempt()).rejects.toThrow("An artifact's id must be names joined by /");
        }
      },
    );
  });
}

/** A folder that goes when the test ends. */
export async function makeArrivals(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-arrivals-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
