import fc from 'fast-check';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  canLinkInversion,
  clearInversions,
  keepInversion,
  listInversions,
  takeInversion,
  type KeepOptions,
} from './inversion-cache.ts';
import type { InversionFacts } from './inversion-entry.ts';

let folder: string;
let dir: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-inversions-'));
  dir = path.join(folder, 'inversions');
});
afterEach(() => rm(folder, { recursive: true }));

const keyOf = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0');
const facts: InversionFacts = {
  clipSha256: 'ab'.repeat(32),
  startFrame: 0,
  endFrame: 4,
  workingSize: { width: 64, height: 48 },
  inversionSteps: 10,
  steps: 10,
  sourcePrompt: 'a wolf',
  model: 'demo',
};

const analysis = { cuts: [2], inversionSteps: 20, reconstructionPsnr: 41.5, damage: { missing: 1, errors: 0 } };

let files = 0;
async function keep(name: string, bytes: Uint8Array, change: Partial<KeepOptions> = {}) {
  const file = path.join(folder, `${files++}.latents`);
  await writeFile(file, bytes);
  return keepInversion(dir, { key: keyOf(name), facts, analysis, startStep: 0, file, budgetBytes: 1e9, ...change });
}

const taken = () => path.join(folder, 'taken');
async function take(name: string, length: number, startStep = 0): Promise<Buffer | null> {
  const sizeBytes = () => length;
  const found = await takeInversion(dir, { key: keyOf(name), startStep, sizeBytes, file: taken() });
  return found === null ? null : readFile(taken());
}

const entryFolder = (name: string) => path.join(dir, keyOf(name));
const lastUsed = (name: string, day: number) =>
  utimes(path.join(entryFolder(name), 'entry.json'), day * 86_400, day * 86_400);
const keptKeys = async () => (await listInversions(dir)).map(({ key }) => key);

test('what is kept comes back as it was, and is listed', async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  expect(await keep('one', bytes)).toBe(true);
  expect(await take('one', 1000)).toEqual(Buffer.from(bytes));
  const [entry] = await listInversions(dir);
  expect(entry).toMatchObject({ ...facts, key: keyOf('one'), sizeBytes: 1000 });
  expect(await take('two', 1000)).toBeNull();
});

test('an edit that begins where the kept one begins, or later, is told that it can be linked', async () => {
  await keep('one', new Uint8Array(8), { startStep: 3 });
  const canLink = (name: string, startStep: number) => canLinkInversion(dir, { key: keyOf(name), startStep, folder });
  expect(await canLink('one', 3)).toBe(true);
  expect(await canLink('one', 5)).toBe(true);
  expect(await canLink('one', 2)).toBe(false);
  expect(await canLink('two', 3)).toBe(false);
});

test('nothing is kept in a folder that is not there', async () => {
  expect(await listInversions(dir)).toEqual([]);
  expect(await clearInversions(dir)).toEqual({ count: 0, sizeBytes: 0 });
  expect(await take('one', 4)).toBeNull();
});

test('clearing removes everything and says how much, and leaves what an edit has taken', async () => {
  await keep('one', new Uint8Array(10));
  await keep('two', new Uint8Array(20));
  await take('one', 10);
  expect(await clearInversions(dir)).toEqual({ count: 2, sizeBytes: 30 });
  expect(await readdir(dir)).toEqual([]);
  expect(await readFile(taken())).toEqual(Buffer.alloc(10));
});

describe('an entry of fewer steps', () => {
  test('serves an edit that starts as late, and no other', async () => {
    await keep('one', new Uint8Array(10), { startStep: 3 });
    expect(await take('one', 10, 2)).toBeNull();
    expect(await take('one', 10, 3)).not.toBeNull();
    expect(await take('one', 10, 7)).not.toBeNull();
  });

  test('is replaced by one of more steps, and does not replace it', async () => {
    await keep('one', Buffer.from('late'), { startStep: 3 });
    await keep('one', Buffer.from('early'), { startStep: 0 });
    await keep('one', Buffer.from('late'), { startStep: 3 });
    expect(await take('one', 5, 3)).toEqual(Buffer.from('early'));
  });
});

describe('a damaged entry is dropped', () => {
  const damages: [string, (entry: string) => Promise<void>][] = [
    ['a flipped bit', (entry) => writeFile(path.join(entry, 'latents'), Buffer.from('abcdefgX'))],
    ['a cut file', (entry) => writeFile(path.join(entry, 'latents'), Buffer.from('abc'))],
    ['no latents', (entry) => rm(path.join(entry, 'latents'))],
    ['no description', (entry) => rm(path.join(entry, 'entry.json'))],
    ['half a description', (entry) => writeFile(path.join(entry, 'entry.json'), '{"version":1,')],
    ['an empty description', (entry) => writeFile(path.join(entry, 'entry.json'), '')],
    ['another version', (entry) => changeVersion(path.join(entry, 'entry.json'))],
  ];
  async function changeVersion(file: string): Promise<void> {
    const entry = JSON.parse(await readFile(file, 'utf8')) as { readonly version: number };
    await writeFile(file, JSON.stringify({ ...entry, version: entry.version - 1 }));
  }
  test.each(damages)('%s', async (_name, damage) => {
    await keep('one', Buffer.from('abcdefgh'));
    await damage(entryFolder('one'));
    expect(await take('one', 8)).toBeNull();
    expect(await readdir(dir)).toEqual([]);
  });

  test('latents of another size than the edit needs', async () => {
    await keep('one', Buffer.from('abcdefgh'));
    expect(await take('one', 9)).toBeNull();
    expect(await readdir(dir)).toEqual([]);
  });

  test.each(['', '{', '[]', 'null', '{"version":1}', '{"version":1,"facts":{}}'])(
    'and not listed: %j',
    async (text) => {
      await keep('one', Buffer.from('abcdefgh'));
      await writeFile(path.join(entryFolder('one'), 'entry.json'), text);
      expect(await listInversions(dir)).toEqual([]);
    },
  );
});

describe('the budget', () => {
  test('evicts what was not used for longest', async () => {
    for (const [day, name] of ['old', 'older', 'newer'].entries()) {
      await keep(name, new Uint8Array(30));
      await lastUsed(name, 100 + day);
    }
    await lastUsed('older', 50);
    await take('old', 30);
    await keep('fresh', new Uint8Array(30), { budgetBytes: 100 });
    expect(new Set(await keptKeys())).toEqual(new Set(['old', 'newer', 'fresh'].map(keyOf)));
  });

  test('is not spent on latents that exceed it alone', async () => {
    await keep('one', new Uint8Array(30));
    expect(await keep('huge', new Uint8Array(101), { budgetBytes: 100 })).toBe(false);
    expect(await keptKeys()).toEqual([keyOf('one')]);
  });

  test('holds whatever comes, and the last one is there', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, async (all) => {
        await clearInversions(dir);
        for (const [i, size] of all.entries()) {
          await keep(`e${i}`, new Uint8Array(size), { budgetBytes: 100 });
          const kept = await listInversions(dir);
          expect(kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(100);
          expect(await take(`e${i}`, size)).not.toBeNull();
        }
      }),
      { numRuns: 15 },
    );
  });
});

test('what killed processes left is removed, what living ones are making is not', async () => {
  // No process has this id: the kernel's largest is 2^22.
  const abandoned = path.join(dir, '.aside-9999999-00000000');
  const inUse = path.join(dir, `.aside-${process.pid}-00000000`);
  for (const left of [abandoned, inUse]) await mkdir(left, { recursive: true });
  await writeFile(path.join(abandoned, 'latents'), 'half');
  await keep('one', new Uint8Array(4));
  expect((await readdir(dir)).sort()).toEqual([path.basename(inUse), keyOf('one')].sort());
});

test('many edits that keep and take the same inversion do not disturb each other', async () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 7);
  const edit = async (i: number) => {
    const mine = path.join(folder, `edit-${i}`);
    await writeFile(mine, bytes);
    await keepInversion(dir, { key: keyOf('one'), facts, analysis, startStep: 0, file: mine, budgetBytes: 1e9 });
    const file = path.join(folder, `taken-${i}`);
    const found = await takeInversion(dir, { key: keyOf('one'), startStep: 0, sizeBytes: () => 5000, file });
    if (found !== null) expect(await readFile(file)).toEqual(Buffer.from(bytes));
    expect(await readFile(mine)).toEqual(Buffer.from(bytes));
  };
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 12 }, (_, i) => edit(i)));
    expect(await keptKeys()).toEqual([keyOf('one')]);
  }
});
