// An edit that is cut short goes on from its last finished step and ends with the same frames.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTinyCheckpoint, tinyPrompts } from '../../../test/fixtures/tiny-checkpoint.ts';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import { decodeFrames } from '../media/frames.ts';
import { probeClip } from '../media/probe.ts';
import { collect, makeClip, testPicture } from '../media/testing/clips.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { EditJob } from './edit-job.ts';
import { runEdit } from './edit.ts';

let dir: string;
let job: EditJob;
let expected: readonly Uint8Array[];

async function framesOf(file: string): Promise<readonly Uint8Array[]> {
  return (await collect(decodeFrames(await probeClip(file)))).map(({ rgb }) => rgb);
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-resume-'));
  const clip = [...testPicture('64x48', '24', 4), '-c:v', 'ffv1'];
  job = {
    inputPath: await makeClip(path.join(dir, 'clip.mkv'), clip),
    outputPath: path.join(dir, 'result.mov'),
    modelDir: await makeTinyCheckpoint(path.join(dir, 'model')),
    device: 'cpu',
    cacheDir: path.join(dir, 'cache'),
    workDir: path.join(dir, 'work'),
    settings: {
      ...defaultSettings(),
      prompt: tinyPrompts.target,
      sourcePrompt: tinyPrompts.source,
      steps: 3,
      inversionSteps: 3,
      guidance: 3,
      keyframeInterval: 2,
      size: { width: 64, height: 64 },
    },
  };
  await runEdit(job, { onProgress: () => undefined });
  expected = await framesOf(job.outputPath);
});
afterAll(() => rm(dir, { recursive: true }));

/** Runs until the checkpoint, then ends as a killed process does: in the middle of everything. */
async function runUntil(stage: Checkpoint['stage'], step: number, cut: EditJob): Promise<void> {
  const stop = new Error('killed');
  const onCheckpoint = (reached: Checkpoint) => {
    if (reached.stage === stage && reached.step === step) throw stop;
  };
  await expect(runEdit(cut, { onProgress: () => undefined, onCheckpoint })).rejects.toBe(stop);
}

test.each([
  ['invert', 2],
  ['edit', 1],
  ['edit', 3],
] as const)('cut after step %s %i, it repeats no finished step', async (stage, step) => {
  const cut = { ...job, workDir: path.join(dir, `work-${stage}-${step}`) };
  await runUntil(stage, step, cut);
  const checkpoints: Checkpoint[] = [];
  const progress: number[] = [];
  const report = await runEdit(cut, {
    onProgress: (state) => progress.push(state.progress),
    onCheckpoint: (reached) => checkpoints.push(reached),
  });
  expect(await framesOf(cut.outputPath)).toEqual(expected);
  const repeated = checkpoints.filter((reached) => reached.stage === stage && reached.step < step);
  expect(repeated).toEqual([]);
  if (stage === 'edit') expect(checkpoints.filter((reached) => reached.stage === 'invert')).toEqual([]); // prettier-ignore
  // Two keyframes with the source and guidance for two steps, without for one; two other frames with the prompt alone.
  expect(report.unetEvaluations).toEqual({ inversion: 3 * 4, sampling: 2 * (3 + 3 + 1) + 2 * 3 });
  expect(progress.at(-1)).toBe(1);
});

test('a checkpoint of other settings is not used', async () => {
  const cut = { ...job, workDir: path.join(dir, 'work-other') };
  await runUntil('edit', 1, cut);
  const checkpoints: Checkpoint[] = [];
  await runEdit(
    { ...cut, settings: { ...cut.settings, seed: 5 } },
    { onProgress: () => undefined, onCheckpoint: (reached) => checkpoints.push(reached) },
  );
  expect(checkpoints[0]).toMatchObject({ stage: 'invert', step: 0 });
});

test('a step that was only half written is computed again', async () => {
  const cut = { ...job, workDir: path.join(dir, 'work-half') };
  await runUntil('edit', 1, cut);
  const file = path.join(cut.workDir, 'edit.latents');
  const bytes = await readFile(file);
  // After step 1 the latents are in the second half; the first half is what step 2 was writing.
  bytes.fill(0xff, 0, bytes.length / 2);
  await writeFile(file, bytes);
  await runEdit(cut, { onProgress: () => undefined });
  expect(await framesOf(cut.outputPath)).toEqual(expected);
});
