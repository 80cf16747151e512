import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRunDir } from './run-dir.ts';

async function createCacheDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-run-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

test('a run folder goes with all that is in it', async () => {
  const cacheDir = await createCacheDir();
  const runDir = await createRunDir(cacheDir);
  await writeFile(join(runDir.path, 'clip.mov'), 'frames');
  await runDir.remove();
  expect(await readdir(join(cacheDir, 'run'))).toEqual([]);
});

test('what a killed process left is removed, what a living one uses is kept', async () => {
  const cacheDir = await createCacheDir();
  const stale = `${await deadPid()}-00000000`;
  const used = `${process.ppid}-00000000`;
  for (const name of [stale, used, 'not-ours']) {
    await mkdir(join(cacheDir, 'run', name, 'clips'), { recursive: true });
  }
  const runDir = await createRunDir(cacheDir);
  await runDir.remove();
  expect((await readdir(join(cacheDir, 'run'))).sort()).toEqual([used, 'not-ours'].sort());
});

test('a cache folder that cannot be made is named', async () => {
  const file = join(await createCacheDir(), 'file');
  await writeFile(file, '');
  await expect(createRunDir(file)).rejects.toMatchObject({
    code: 'output-unwritable',
    hint: 'Set TOKENFLOW_CACHE to a folder that can be written.',
  });
});
