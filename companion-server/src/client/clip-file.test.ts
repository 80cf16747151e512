import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClip } from './clip-file.ts';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-clip-file-'))));
afterAll(() => rm(folder, { recursive: true }));

test('a file is opened with its size', async () => {
  await writeFile(path.join(folder, 'clip.mp4'), 'bytes');
  const { file, sizeBytes } = await openClip(path.join(folder, 'clip.mp4'));
  expect(sizeBytes).toBe(5);
  expect(await file.readFile('latin1')).toBe('bytes');
  await file.close();
});

test.skipIf(process.platform === 'win32')('a named pipe is refused, although nobody writes to it', async () => {
  const pipe = path.join(folder, 'pipe.mp4');
  execFileSync('mkfifo', [pipe]);
  await expect(openClip(pipe)).rejects.toMatchObject({
    code: 'clip-unreadable',
    message: `The clip ${pipe} is not a file.`,
  });
});
