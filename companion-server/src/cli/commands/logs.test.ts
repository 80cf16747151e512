import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readLastLines } from './logs.ts';

test('the last lines go on into the files that were put aside, the newest first', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tokenflow-logs-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'server.log');
  await writeFile(path, 'five\nsix\n');
  await writeFile(join(dir, 'server-2026-01-02-10.log'), 'four\n');
  await writeFile(join(dir, 'server-2026-01-02-9.log'), 'two\nthree\n');
  await writeFile(join(dir, 'server-2026-01-01-1.log'), 'one\n');
  const read = async (count: number) => (await readLastLines(path, count)).last.join(' ');
  expect(await read(0)).toBe('');
  expect(await read(1)).toBe('six');
  expect(await read(4)).toBe('three four five six');
  expect(await read(100)).toBe('one two three four five six');
  expect((await readLastLines(path, 100)).end).toBe(9);
});
