import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from './folder-lock.ts';

let dir: string;
let lock: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tokenflow-lock-'));
  lock = join(dir, 'x~lock');
});

afterEach(() => rm(dir, { recursive: true }));

test('of many at once never two hold the lock', async () => {
  await writeFile(`${lock}-999999999-0123456789ab`, '');
  let holders = 0;
  let most = 0;
  const hold = async (): Promise<void> => {
    most = Math.max(most, ++holders);
    await readdir(dir);
    holders -= 1;
  };
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, () => withLock(lock, 'x is busy', hold)),
  );
  expect(most).toBeLessThanOrEqual(1);
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    expect(result.reason).toMatchObject({ message: `x is busy (process ${process.pid}).` });
  }
  expect((await readdir(dir)).filter((name) => name.includes(`-${process.pid}-`))).toEqual([]);
});

test('who comes while it is held is refused, who comes afterwards gets it', async () => {
  const inside = await withLock(lock, 'x is busy', () =>
    withLock(lock, 'x is busy', () => Promise.resolve('two')).catch((error: unknown) => error),
  );
  expect(inside).toMatchObject({ code: 'invalid-request' });
  expect(await withLock(lock, 'x is busy', () => Promise.resolve('one'))).toBe('one');
});

test('the file of a process that has ended counts for nothing, another lock’s neither', async () => {
  await writeFile(`${lock}-999999999-0123456789ab`, '');
  await writeFile(join(dir, `y~lock-${process.pid}-0123456789ab`), '');
  expect(await withLock(lock, 'x is busy', () => Promise.resolve('one'))).toBe('one');
  expect(await readdir(dir)).toEqual([`y~lock-${process.pid}-0123456789ab`]);
});

test('a failure gives the lock back', async () => {
  await expect(withLock(lock, 'x', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await readdir(dir)).toEqual([]);
});
