// Where an edit in the reference pipeline starts, whether it has inverted its clip or found that done.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { createInversionSchedule } from '../../diffusion/inversion-schedule.ts';
import { createSchedule } from '../../diffusion/schedule.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { readModelOutline } from '../model/model.ts';

const frames = 2;
const [steps, inversionSteps] = [2, 4];

let dir: string;
let modelDir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-start-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', frames), '-c:v', 'ffv1']);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

const jobOf = (name: string, settings: Partial<EditSettings> = {}) => ({
  ...tinyJob({ dir, modelDir, inputPath }, name, {
    pipeline: 'reference',
    propagation: 'reference',
    keyframeInterval: 2,
    steps,
    inversionSteps,
    ...settings,
  }),
  clipSha256: 'ab'.repeat(32),
  inversionsDir: path.join(dir, 'inversions'),
});

test.each([
  ['Plug-and-Play', 'pnp', {}, 0],
  ['SDEdit', 'sdedit', { technique: 'sdedit', strength: 0.5 }, 1],
] as const)(
  'an edit by %s starts from the noise at the end of the inversion, not from where it passed',
  async (_technique, name, settings, startStep) => {
    const job = jobOf(name, settings);
    await runUntil(job, 'edit', 0);
    const { scheduler } = await readModelOutline(modelDir);
    const sampling = createSchedule(scheduler, steps);
    const first = sampling.timesteps[startStep] ?? 0;
    const [end = 0] = createInversionSchedule(scheduler, sampling, inversionSteps).timesteps;
    expect(end).toBeGreaterThan(first);

    const start = await slotsOf(path.join(job.workDir, 'edit.latents'), 2);
    // The clip, the sampling timesteps from the first on, and the end of the inversion.
    const source = await slotsOf(path.join(job.workDir, 'source.latents'), 1 + steps - startStep + 1);
    const [clean = [], passed = []] = source;
    const noisiest = source.at(-1) ?? [];
    const [signal, sigma] = [Math.sqrt(sampling.alphaCumprod(first)), Math.sqrt(1 - sampling.alphaCumprod(first))];
    const [endSignal, endSigma] = [Math.sqrt(sampling.alphaCumprod(end)), Math.sqrt(1 - sampling.alphaCumprod(end))];
    const expected = noisiest.map((value, i) => {
      const noise = (value - endSignal * (clean[i] ?? 0)) / endSigma;
      return signal * (clean[i] ?? 0) + sigma * noise;
    });
    expect(start[0]).toBeAllClose(expected, { atol: 1e-4 });
    expect(start[0]).not.toBeAllClose(passed, { atol: 1e-2 });
  },
);

test('an edit that finds its inversion done starts in the same place', async () => {
  await runTinyEdit(jobOf('first'));
  const again = jobOf('again');
  const { report } = await runTinyEdit(again);
  expect(report.unetEvaluations.inversion).toBe(0);
  expect(await readFile(again.outputPath)).toEqual(await readFile(jobOf('first').outputPath));
});

/** A file of so many slots of equal size. */
async function slotsOf(file: string, count: number): Promise<readonly number[][]> {
  const bytes = await readFile(file);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const size = values.length / count;
  return Array.from({ length: count }, (_, i) => [...values.subarray(i * size, (i + 1) * size)]);
}
