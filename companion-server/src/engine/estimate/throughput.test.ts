import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { plainExecution, preferredExecution } from '../../onnx/execution.ts';
import { persistThroughput, recallThroughput, type ThroughputKind } from './throughput.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-throughput-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const kind: ThroughputKind = {
  execution: preferredExecution.cpu,
  unet: { form: '4-8' },
  latentSize: { width: 16, height: 16 },
};
const stage = (secondsPerBillion: number, onceSeconds = 0, work = 10) => ({ secondsPerBillion, onceSeconds, work });
const guess = { secondsPerBillion: 7, onceSeconds: 0 };
const probe = () => Promise.resolve(7);
const noProbe = () => Promise.reject(new Error('What is known needs no trial.'));
const whole = {
  stages: { decode: stage(1), invert: stage(2, 3), edit: stage(4), encode: stage(5) },
  loadSeconds: 6,
};

test('a machine that nothing is known of is tried', async () => {
  const throughput = await recallThroughput(dir, kind, probe);
  expect(throughput).toMatchObject({ isMeasured: false, loadSeconds: 0 });
  expect(Object.values(throughput.stages)).toEqual(Array(4).fill(guess));
});

test('what an edit has found is the throughput of the next one of its kind', async () => {
  await persistThroughput(dir, kind, whole);
  expect(await recallThroughput(dir, kind, noProbe)).toEqual({ ...whole, isMeasured: true });
  // An edit with a kept inversion has neither decoded nor inverted.
  await persistThroughput(dir, kind, { stages: { edit: stage(8, 0, 5), encode: stage(5) }, loadSeconds: 4 });
  const { stages, loadSeconds } = await recallThroughput(dir, kind, noProbe);
  expect(stages).toEqual({ ...whole.stages, edit: stage(6, 0, 10), encode: stage(5, 0, 15) });
  expect(loadSeconds).toBe(5);
});

test('an edit of little work changes the throughput little', async () => {
  await persistThroughput(dir, kind, whole);
  await persistThroughput(dir, kind, { stages: { encode: stage(105, 0, 0.1) }, loadSeconds: 6 });
  const { encode } = (await recallThroughput(dir, kind, noProbe)).stages;
  expect(encode.secondsPerBillion).toBeGreaterThan(5);
  expect(encode.secondsPerBillion).toBeLessThan(8);
});

test('at another size it is a guess, and of another network or device not even that', async () => {
  await persistThroughput(dir, kind, whole);
  const large = { ...kind, latentSize: { width: 64, height: 64 } };
  expect(await recallThroughput(dir, large, noProbe)).toEqual({ ...whole, isMeasured: false });
  const others = [
    { ...kind, unet: { form: '320-640' } },
    { ...kind, execution: plainExecution('cpu') },
    { ...kind, execution: preferredExecution.cuda },
  ];
  for (const other of others) {
    expect((await recallThroughput(dir, other, probe)).stages.edit).toEqual(guess);
  }
});

test('a stage that no edit went through is guessed from one that some did', async () => {
  await persistThroughput(dir, kind, { stages: { edit: stage(4) }, loadSeconds: 1 });
  expect((await recallThroughput(dir, kind, noProbe)).stages.invert).toEqual(stage(4));
});

test.each(['', '{', '{"version":0,"entries":[]}', '{"version":2,"entries":[null,3,{}]}', 'null'])(
  'a file that holds %j is as good as none',
  async (text) => {
    await writeFile(path.join(dir, 'throughput.json'), text);
    expect((await recallThroughput(dir, kind, probe)).isMeasured).toBe(false);
    await persistThroughput(dir, kind, whole);
    expect((await recallThroughput(dir, kind, noProbe)).isMeasured).toBe(true);
  },
);

test('numbers that are none are not believed', async () => {
  await persistThroughput(dir, kind, whole);
  const file = path.join(dir, 'throughput.json');
  await writeFile(file, (await readFile(file, 'utf8')).replace('"loadSeconds":6', '"loadSeconds":-6'));
  expect((await recallThroughput(dir, kind, probe)).isMeasured).toBe(false);
});
