// A file of Stable Diffusion 2.x from which nothing tells what its network predicts: one run of the network does.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeRegularCheckpoint } from '../../../../test/fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw, type RawTensors } from '../../../../test/fixtures/single-file.ts';
import type { CheckpointReading } from '../../families/open-checkpoint.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import { identifyCheckpoint, openModel } from './model.ts';

let dir: string;
let cacheDir: string;
let tensors: RawTensors;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-prediction-'));
  tensors = await invertFolder(await makeRegularCheckpoint(path.join(dir, 'folder'), 'sd2'), 'sd2');
});
afterAll(() => rm(dir, { recursive: true }));
beforeEach(async () => {
  cacheDir = await mkdtemp(path.join(dir, 'cache-'));
});

const telling = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';

/** The last bias of the network moves all that it predicts by `shift`; no other tensor tells what that is. */
async function fileWith(shift: number): Promise<string> {
  const file = path.join(dir, `shifted ${shift}.safetensors`);
  const changes = new Map<string, (values: Float32Array) => Float32Array>([
    ['model.diffusion_model.out.2.bias', (values) => values.fill(shift)],
    // Its spread is between those of noise and of velocity.
    [telling, (values) => values.map((_, i) => (i % 2 === 0 ? 0.095 : -0.095))],
  ]);
  const changed = [...tensors].map(([key, tensor]) => {
    const values = changes.get(key)?.(new Float32Array(tensor.shape[0] ?? 0));
    return [
      key,
      values === undefined ? tensor : { ...tensor, dtype: 'F32', bytes: Buffer.from(values.buffer) },
    ] as const;
  });
  await writeRaw(file, new Map(changed));
  return file;
}

/** What the opened model predicts, the runs of its network while it was opened, and what the report says. */
async function opened(file: string, reading?: CheckpointReading) {
  let runs = 0;
  const options = { dir: file, reading, execution: preferredExecution.cpu, cacheDir };
  const model = await openModel({ ...options, onRun: () => runs++ });
  expect(await identifyCheckpoint(options)).toBe(await model.identify());
  return { predictionType: model.scheduler.predictionType, runs, notices: model.notices([]) };
}

it.each([
  ['noise', 0.5, 'epsilon', 'use --prediction v.'],
  ['velocity', -3, 'v_prediction', 'use --prediction epsilon.'],
] as const)('shows %s once, and the answer is kept', async (what, shift, predictionType, advice) => {
  const file = await fileWith(shift);
  const first = await opened(file);
  expect(first).toMatchObject({ predictionType, runs: 1 });
  expect(first.notices).toEqual([expect.stringContaining(`a run of it shows ${what}.`)]);
  expect(first.notices[0]).toContain(advice);
  expect(await opened(file)).toEqual({ ...first, runs: 0 });
});

it('is not run where the user says what it predicts', async () => {
  const file = await fileWith(-3);
  await opened(file);
  for (const prediction of ['epsilon', 'v_prediction'] as const) {
    expect(await opened(file, { prediction })).toEqual({ predictionType: prediction, runs: 0, notices: [] });
  }
  const other = await fileWith(0.5);
  expect(await opened(other, { prediction: 'v_prediction' })).toMatchObject({
    predictionType: 'v_prediction',
    runs: 0,
  });
  expect(await readdir(path.join(cacheDir, 'predictions'))).toHaveLength(1);
});
