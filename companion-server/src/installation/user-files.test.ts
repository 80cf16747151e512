import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeUserFiles } from './user-files.ts';

async function createHome(): Promise<string> {
  const home = await mkdtemp(path.join(tmpdir(), 'tokenflow-home-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
}

async function fill(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), name);
  }
}

const job = 'a1b2c3d4'.repeat(4);
const kept = ['tokenflow.db', 'clips/x.mov', `jobs/${job}/work/step`, 'models/big/unet', 'logs/server.log'];

test('only finished edits stay', async () => {
  const home = await createHome();
  const folders = { dataDir: path.join(home, 'share', 'tokenflow'), cacheDir: path.join(home, 'cache', 'tokenflow') };
  await fill(folders.dataDir, [...kept, `jobs/${job}/result.mov`]);
  await fill(folders.cacheDir, ['server.json', 'weights/a']);
  const results = await removeUserFiles(folders, home);
  expect(results).toBe(path.join(folders.dataDir, 'results'));
  const left = await readdir(home, { recursive: true });
  expect(left.sort()).toEqual(
    ['share', 'share/tokenflow', 'share/tokenflow/results', 'share/tokenflow/results/a1b2c3d4.mov'].map((name) =>
      path.normalize(name),
    ),
  );
  expect(await readFile(path.join(results ?? '', 'a1b2c3d4.mov'), 'utf8')).toBe(`jobs/${job}/result.mov`);
});

test('without finished edits nothing stays', async () => {
  const home = await createHome();
  const folders = { dataDir: path.join(home, 'share', 'tokenflow'), cacheDir: path.join(home, 'cache', 'tokenflow') };
  await fill(folders.dataDir, kept);
  expect(await removeUserFiles(folders, home)).toBeNull();
  expect(await readdir(home)).toEqual([]);
});

test('edits stay where the data folder is in the cache folder, as on Windows', async () => {
  const home = await createHome();
  const cacheDir = path.join(home, 'tokenflow');
  const dataDir = path.join(cacheDir, 'data');
  await fill(cacheDir, ['server.json', `data/jobs/${job}/result.mp4`]);
  await removeUserFiles({ dataDir, cacheDir }, home);
  expect(await readdir(cacheDir, { recursive: true })).toEqual(
    ['data', 'data/results', 'data/results/a1b2c3d4.mp4'].map((name) => path.normalize(name)),
  );
});
