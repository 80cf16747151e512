import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { takenBytes, takenBytesBelow } from './folder-size.ts';

test('what lies in a folder is counted, with or without what is below it', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-size-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'deep', 'deeper'), { recursive: true });
  await writeFile(path.join(folder, 'a'), Buffer.alloc(4_096));
  await writeFile(path.join(folder, 'deep', 'deeper', 'b'), Buffer.alloc(8_192));
  // A link is no file of its own, and one that leads back would never end.
  await symlink(folder, path.join(folder, 'deep', 'back'));
  expect(await takenBytes(folder)).toBe(4_096);
  expect(await takenBytesBelow(folder)).toBe(12_288);
});

test('holes take nothing, and neither does a folder that is not there', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-size-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'latents'), '');
  await truncate(path.join(folder, 'latents'), 1e9);
  expect(await takenBytes(folder)).toBeLessThan(1e6);
  expect(await takenBytesBelow(path.join(folder, 'none'))).toBe(0);
});
