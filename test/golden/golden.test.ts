import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plainExecution, preferredExecution } from '../../companion-server/src/onnx/execution.ts';
import { createSharedSession, releaseSharedSessions } from '../shared-sessions.ts';
import { compareFolder } from './compare.ts';
import { GoldenReport } from './report.ts';

const fixtures = path.join(import.meta.dirname, '..', 'fixtures', 'golden');
let cacheDir: string;

beforeAll(async () => {
  cacheDir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-golden-'));
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(cacheDir, { recursive: true, force: true });
});

test.each([
  ['sd1', 25],
  ['sd2', 17],
  ['clip', 4],
  ['sdxl', 21],
  ['sdxl-pruned', 21],
  ['lora', 78],
  ['few-step', 28],
  ['tiny-decoder', 2],
  ['controlnet', 61],
])('%s equals the reference implementation in all %i comparisons', async (folder, count) => {
  const lines: string[] = [];
  const report = new GoldenReport((line) => lines.push(line));
  const run = { execution: preferredExecution.cpu, cacheDir, createSession: createSharedSession };
  await compareFolder(path.join(fixtures, folder), run, report);
  expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([]);
  expect(report.passed).toBe(count);
});

test('the plain operators, which devices fall back to, give the same numbers', async () => {
  const lines: string[] = [];
  const report = new GoldenReport((line) => lines.push(line));
  const run = { execution: plainExecution('cpu'), cacheDir, createSession: createSharedSession };
  await compareFolder(path.join(fixtures, 'sd1'), run, report);
  expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([]);
  expect(report.passed).toBe(25);
});

test('a comparison fails for a wrong number and for a missing one', () => {
  const report = new GoldenReport(() => undefined);
  report.compare('wrong', [1, 2.1], [1, 2], 1e-2);
  report.compare('missing', [1], [1, 2], 1e-2);
  report.compare('right', [1, 2], [1, 2], 0);
  expect(report).toMatchObject({ passed: 1, failed: 2 });
});
