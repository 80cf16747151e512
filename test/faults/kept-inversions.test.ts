// Two processes that keep and take the same inversions, killed at random moments: what is left is whole.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import {
  clearInversions,
  listInversions,
  takeInversion,
} from '../../companion-server/src/engine/source-cache/inversion-cache.ts';
import { createRandom } from '../../companion-server/src/tensor/random.ts';

const keeper = fileURLToPath(new URL('../fixtures/keep-inversions.ts', import.meta.url));
const rounds = 4;
const sizeBytes = 200_000;

test('a process that is killed while it keeps inversions leaves whole ones only', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-kept-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [dir, work] = [path.join(folder, 'inversions'), path.join(folder, 'work')];
  await mkdir(work);
  const random = createRandom(11);
  let taken = 0;
  for (let round = 0; round < rounds; round++) {
    const lives = [20 + random.below(40), 20 + random.below(40)];
    await Promise.all(lives.map((lines) => runAndKill(dir, work, lines)));
    for (const { key } of await listInversions(dir)) {
      const file = path.join(folder, 'taken');
      const startStep = await takeInversion(dir, { key, startStep: 3, sizeBytes: () => sizeBytes, file });
      expect(startStep).not.toBeNull();
      const bytes = await readFile(file);
      expect(bytes.equals(Buffer.alloc(sizeBytes, Number(key)))).toBe(true);
      taken++;
    }
  }
  expect(taken).toBeGreaterThan(rounds);
  await clearInversions(dir);
  expect(await readdir(dir)).toEqual([]);
});

/** Kills the process when it has said so many lines: in the middle of what it says next. */
async function runAndKill(dir: string, work: string, lines: number): Promise<void> {
  const args = ['--import', 'tsx', keeper, dir, work];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  let heard = 0;
  createInterface(child.stdout).on('line', () => {
    if (++heard === lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect(complaints).toBe('');
}
