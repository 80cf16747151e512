import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClip } from './clip-file.ts';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-clip-file-'))));
afterAll(() => rm(folder, { recursive: true }));

test('a file is opened with its size and ending, and read by position up to its end', async () => {
  await writeFile(path.join(folder, 'clip.mp4'), 'bytes');
  const clip = await openClip(path.join(folder, 'clip.mp4'));
  expect(clip).toMatchObject({ sizeBytes: 5, extension: 'mp4' });
  expect(Buffer.from(await clip.read(1, 3)).toString('latin1')).toBe('yte');
  expect(Buffer.from(await clip.read(3, 10)).toString('latin1')).toBe('es');
  expect(Buffer.from((await clip.readBehind?.(4, 1, 3)) ?? []).toString('latin1', 4)).toBe('yte');
  await clip.close();
});

test.skipIf(process.platform === 'win32')('a named pipe is refused, although nobody writes to it', async () => {
  const pipe = path.join(folder, 'pipe.mp4');
  execFileSync('mkfifo', [pipe]);
  await expect(openClip(pipe)).rejects.toMatchObject({
    code: 'clip-unreadable',
    message: `The clip ${pipe} is not a file.`,
  });
});
