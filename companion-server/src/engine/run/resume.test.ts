// An interrupted edit continues from its last finished step and ends with the same frames.

import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { readRaw, writeRaw } from '../../../../test/fixtures/single-file.ts';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runSharing, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import { makeClip, readPixels, testPicture } from '../../media/testing/clips.ts';
import type { ResumePoint } from './resume-point.ts';
import { runEdit } from './edit.ts';
import type { EditJob, GrowingPicture } from './edit-job.ts';

let dir: string;
let job: EditJob;
let expected: readonly Uint8Array[];

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-resume-'));
  const clip = [...testPicture('64x48', '24', 4), '-c:v', 'ffv1'];
  const inputPath = await makeClip(path.join(dir, 'clip.mkv'), clip);
  const modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  const settings = { steps: 3, inversionSteps: 3, keyframeInterval: 2 };
  job = tinyJob({ dir, modelDir, inputPath }, 'whole', settings);
  await runSharing(job, { onProgress: () => undefined });
  expected = await framesOf(job);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

test.each([
  ['invert', 2],
  ['edit', 1],
  ['edit', 3],
] as const)('cut after step %s %i, it repeats no finished step', async (stage, step) => {
  const cut = { ...job, workDir: path.join(dir, `work-${stage}-${step}`) };
  await runUntil(cut, stage, step);
  const resumePoints: ResumePoint[] = [];
  const progress: number[] = [];
  const report = await runSharing(cut, {
    onProgress: (state) => progress.push(state.progress),
    onResumePoint: (reached) => resumePoints.push(reached),
  });
  expect(await framesOf(cut)).toEqual(expected);
  const repeated = resumePoints.filter((reached) => reached.stage === stage && reached.step <= step);
  expect(repeated).toEqual([]);
  if (stage === 'edit') expect(resumePoints.filter((reached) => reached.stage === 'invert')).toEqual([]);
  // Two keyframes with the source and guidance for two steps, without for one; two other frames with the prompt alone.
  expect(report.unetEvaluations).toEqual({ inversion: 3 * 4, sampling: 2 * (3 + 3 + 1) + 2 * 3 });
  expect(progress.at(-1)).toBe(1);
});

test('a cut edit shows what it looks like so far when it goes on, and ends with the same frames', async () => {
  const cut = { ...job, workDir: path.join(dir, 'work-pictured') };
  await runUntil(cut, 'edit', 1);
  const pictures: GrowingPicture[] = [];
  await runSharing(cut, { onProgress: () => undefined, onPicture: (picture) => pictures.push(picture) });
  const [{ jpeg, frameIndex } = expect.fail('There is no picture.')] = pictures;
  expect(frameIndex).toBe(2);
  const file = path.join(dir, 'growing.jpg');
  await writeFile(file, jpeg);
  // A pixel for a latent, without what the frame is padded with.
  expect(await readPixels(file)).toMatchObject({ width: 16, height: 12 });
  expect(await framesOf(cut)).toEqual(expected);
});

test('the pictures are by the tiny decoder where it fits the model, and by colours where it does not', async () => {
  const decoder = path.join(goldenDir, 'tiny-decoder', 'taesd_decoder.safetensors');
  // TAESD doubles the size three times, and this model's latents are a quarter of its pictures.
  const tensors = new Map(await readRaw(decoder));
  tensors.delete('7.weight');
  const fitting = path.join(dir, 'fitting.safetensors');
  await writeRaw(fitting, tensors);
  const sizeBy = async (previewDecoder: string, name: string) => {
    const cut = { ...job, previewDecoder, workDir: path.join(dir, `work-${name}`) };
    await runUntil(cut, 'edit', 2);
    const pictures: GrowingPicture[] = [];
    await runSharing(cut, { onProgress: () => undefined, onPicture: (picture) => pictures.push(picture) });
    expect(await framesOf(cut)).toEqual(expected);
    const file = path.join(dir, `${name}.jpg`);
    await writeFile(file, pictures[0]?.jpeg ?? expect.fail('There is no picture.'));
    return readPixels(file);
  };
  expect(await sizeBy(fitting, 'fitting')).toMatchObject({ width: 64, height: 48 });
  expect(await sizeBy(decoder, 'too-large')).toMatchObject({ width: 16, height: 12 });
});

test('a resume point of other settings is not used', async () => {
  const cut = { ...job, workDir: path.join(dir, 'work-other') };
  await runUntil(cut, 'edit', 1);
  const resumePoints: ResumePoint[] = [];
  await runSharing(
    { ...cut, settings: { ...cut.settings, seed: 5 } },
    { onProgress: () => undefined, onResumePoint: (reached) => resumePoints.push(reached) },
  );
  expect(resumePoints[0]).toMatchObject({ stage: 'invert', step: 0 });
});

test('goes on with a model that was moved, and begins again with another in its place', async () => {
  const modelDir = path.join(dir, 'model-to-move');
  await cp(job.modelDir, modelDir, { recursive: true });
  const cut = { ...job, modelDir, workDir: path.join(dir, 'work-moved') };
  await runUntil(cut, 'edit', 1);
  const moved = path.join(dir, 'model-moved');
  await rename(modelDir, moved);
  const firstOf = async (next: EditJob) => {
    let first: ResumePoint | null = null;
    const onResumePoint = (reached: ResumePoint) => {
      first = reached;
      throw new Error('seen');
    };
    await expect(runEdit(next, { onProgress: () => undefined, onResumePoint })).rejects.toThrow('seen');
    return first;
  };
  expect(await firstOf({ ...cut, modelDir: moved })).toMatchObject({ stage: 'edit', step: 2 });
  const unet = path.join(moved, 'unet', 'diffusion_pytorch_model.safetensors');
  const tensors = new Map(await readRaw(unet));
  const [[name, tensor] = expect.fail('There are no weights.')] = tensors;
  tensors.set(name, { ...tensor, bytes: Buffer.from(tensor.bytes.map((byte) => byte ^ 1)) });
  await writeRaw(unet, tensors);
  expect(await firstOf({ ...cut, modelDir: moved })).toMatchObject({ stage: 'invert', step: 0 });
});

test('a step that was only half written is computed again', async () => {
  const cut = { ...job, workDir: path.join(dir, 'work-half') };
  await runUntil(cut, 'edit', 1);
  const file = path.join(cut.workDir, 'edit.latents');
  const bytes = await readFile(file);
  // After step 1 the latents are in the second half; the first half is what step 2 was writing.
  bytes.fill(0xff, 0, bytes.length / 2);
  await writeFile(file, bytes);
  await runSharing(cut, { onProgress: () => undefined });
  expect(await framesOf(cut)).toEqual(expected);
});
