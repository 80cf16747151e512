import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fakeEstimate, fakeReport } from '../../test/fixtures/engines/report.ts';
import { readMachine, toEstimate, weightsBytesOf } from './edit-estimate.ts';

const machine = { memoryBytes: 8e9, diskBytes: 1e9 };
/** 8,000 forwards and 40 frames of 256 x 256 pixels in 80 + 4 + 1 seconds. */
const past = {
  ...fakeReport,
  stageSeconds: { load: 1, decode: 1, invert: 20, edit: 60, encode: 3 },
  peakMemoryBytes: 2e9,
};

test('the same work takes as long as before', () => {
  expect(toEstimate(fakeEstimate, past, 0, machine)).toEqual({
    frames: 40,
    unetEvaluations: 8_000,
    seconds: 85,
    peakMemoryBytes: 2e9,
    diskBytes: 1e6,
    fits: true,
    advice: null,
  });
});

test('more work and larger pictures take longer, in proportion', () => {
  const work = {
    ...fakeEstimate,
    frames: 80,
    workingSize: { width: 512, height: 256 },
    unetEvaluations: { inversion: 8_000, sampling: 8_000 },
  };
  expect(toEstimate(work, past, 0, machine).seconds).toBe(1 + 2 * (160 + 8));
});

test('without an edit before, the time is not known and the memory is guessed from the weights', () => {
  const estimate = toEstimate(fakeEstimate, null, 1e9, machine);
  expect(estimate).toMatchObject({ seconds: null, peakMemoryBytes: 3.5e9, fits: true });
  expect(toEstimate(fakeEstimate, null, 4e9, machine)).toMatchObject({
    fits: false,
    advice:
      'The edit takes about 9.5 GB of memory and the machine has 8.0 GB: choose a smaller model.',
  });
});

test('an edit that was found in the cache says nothing about the speed', () => {
  const nothing = { ...past, unetEvaluations: { inversion: 0, sampling: 0 } };
  expect(toEstimate(fakeEstimate, nothing, 0, machine).seconds).toBeNull();
});

test('latents that the disk cannot hold are refused with what to do', () => {
  const estimate = toEstimate({ ...fakeEstimate, diskBytes: 2e9 }, past, 0, machine);
  expect(estimate.fits).toBe(false);
  expect(estimate.advice).toContain(
    'takes 2.0 GB on the disk of the data folder, which has 1.0 GB',
  );
});

test('an edit of hours comes with advice', () => {
  const work = { ...fakeEstimate, unetEvaluations: { inversion: 0, sampling: 1e6 } };
  expect(toEstimate(work, past, 0, machine)).toMatchObject({
    fits: true,
    advice: 'A shorter part of the clip, a smaller size or fewer steps take less time.',
  });
});

test('the weights of a checkpoint folder are counted, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenflow-estimate-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'unet'));
  await writeFile(join(folder, 'unet', 'model.safetensors'), 'twelve bytes');
  await writeFile(join(folder, 'vae.safetensors'), 'six by');
  await writeFile(join(folder, 'model_index.json'), '{}');
  expect(await weightsBytesOf(folder)).toBe(18);
  const { memoryBytes, diskBytes } = await readMachine(folder);
  expect(memoryBytes).toBeGreaterThan(1e6);
  expect(diskBytes).toBeGreaterThan(0);
});
