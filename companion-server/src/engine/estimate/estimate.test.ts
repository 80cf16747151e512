import { mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { makeTinyCheckpoint, tinyPrompts } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runSharing } from '../../../../test/tiny-edits.ts';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import { CanceledError } from '../../errors.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import { chooseSettings } from '../plan/edit-defaults.ts';
import type { EditJob } from '../run/edit-job.ts';
import { planEdit } from '../plan/edit-plan.ts';
import { runEdit } from '../run/edit.ts';
import { assessEdit, estimateEdit, isInversionKept } from './estimate.ts';
import { readModelOutline } from '../model/model.ts';
import { readResources } from './resources.ts';
import { createEngine } from '../worker/supervisor.ts';

let dir: string;
let job: EditJob;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-estimate-'));
  const clip = [...testPicture('64x48', '24', 5), '-c:v', 'ffv1'];
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
      steps: 2,
      inversionSteps: 4,
      keyframeInterval: 2,
      size: { width: 64, height: 64 },
    },
  };
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

test('an estimate names the work that the edit then reports, and leaves nothing behind', async () => {
  const engine = createEngine({ entry: new URL('../worker/process.ts', import.meta.url) });
  try {
    const estimate = await engine.estimate(job);
    await expect(stat(job.workDir)).rejects.toThrow('ENOENT');
    const report = await engine.edit(job, { onProgress: () => undefined });
    expect(estimate.unetEvaluations).toEqual(report.unetEvaluations);
    expect(estimate).toMatchObject({ frames: 5, workingSize: report.workingSize, refusal: null });
    // Most of it is the program itself, for a network as small as this.
    const taken = report.peakMemoryBytes + (report.peakMappedBytes ?? 0);
    expect(estimate.peakMemoryBytes).toBeGreaterThan(0.5 * taken);
    expect(estimate.peakMemoryBytes).toBeLessThan(2 * taken);
    // The clip, two sampling steps, two slots of the edit and three of the inversion's noise that take turns; 5 frames, 4
    // channels, padded to 16 x 16 latents, float32. Correspondences: two steps of 5 frames, two places of 16 bits per token. Looks at
    // three keyframes: the clip and one step.
    const tokens = 3 * (256 + 16) + 4;
    const looks = 2 * 3 * 4 * 16 * 16 * 4;
    expect(estimate.diskBytes).toBe((1 + 2 + 2 + 3) * 5 * 4 * 16 * 16 * 4 + 2 * 5 * 4 * tokens + looks);
  } finally {
    await engine.close();
  }
});

test('what the edit would refuse, the estimate refuses', async () => {
  const engine = createEngine({ entry: new URL('../worker/process.ts', import.meta.url) });
  try {
    const missing = { ...job, inputPath: path.join(dir, 'nowhere.mkv') };
    await expect(engine.estimate(missing)).rejects.toMatchObject({ code: 'clip-missing' });
    const pastTheEnd = { ...job, settings: { ...job.settings, startSeconds: 9 } };
    await expect(engine.estimate(pastTheEnd)).rejects.toMatchObject({ code: 'invalid-request' });
  } finally {
    await engine.close();
  }
});

test('an edit whose latents no disk could hold is refused with what to do', async () => {
  const clip = await probeClip(job.inputPath);
  const size = { width: 512, height: 512 };
  const long = { ...job.settings, size, steps: 100, inversionSteps: 100, keyframeInterval: 64 };
  const model = await readModelOutline(job.modelDir);
  const refusalOf = async (frameCount: number, isInversionKept: boolean) => {
    const { refusal } = await assessEdit({
      workDir: job.workDir,
      clip: { ...clip, frameCount },
      model,
      settings: chooseSettings(long, { guidance: 3, steps: 2 }),
      execution: preferredExecution.cpu,
      isInversionLinked: () => Promise.resolve(isInversionKept),
    });
    return refusal;
  };
  const refusal = await refusalOf(1e6, false);
  expect(refusal).toMatchObject({ code: 'disk-full' });
  expect(refusal?.hint).toMatch(/^Free .* GB, or edit at most \d+ frames at a time/);

  // Half of the disk for the edit's own five slots; what is known of the source takes twenty times as much.
  const { diskBytes } = await readResources(job.workDir, true);
  const frames = Math.floor((0.5 * diskBytes) / (5 * 4 * 128 * 128 * 4));
  expect(await refusalOf(frames, false)).toMatchObject({ code: 'disk-full' });
  expect(await refusalOf(frames, true)).toBeNull();
});

test('the first edit has an estimate, and the next one by the throughput of the first, without what is kept', async () => {
  const fresh = { ...job, cacheDir: path.join(dir, 'fresh'), workDir: path.join(dir, 'timed') };
  const keeping = { ...fresh, clipSha256: 'ef'.repeat(32), inversionsDir: path.join(dir, 'timed inversions') };
  const first = await estimateEdit(keeping);
  expect(first.isThroughputMeasured).toBe(false);
  expect(first.seconds).toBeGreaterThan(0);
  const { stageSeconds } = await runEdit(keeping, { onProgress: () => undefined });

  const spent = Object.values(stageSeconds).reduce((sum, seconds) => sum + seconds, 0);
  // The same edit of a clip that was not seen yet takes what it took, to the throughput's arithmetic.
  const again = await estimateEdit({ ...keeping, clipSha256: '01'.repeat(32) });
  expect(again).toMatchObject({ isThroughputMeasured: true, unetEvaluations: first.unetEvaluations });
  expect(again.seconds / spent).toBeGreaterThan(0.9);
  expect(again.seconds / spent).toBeLessThan(1.1);

  const second = await estimateEdit(keeping);
  expect(second.unetEvaluations).toEqual({ ...first.unetEvaluations, inversion: 0 });
  const { decode = 0, invert = 0 } = stageSeconds;
  expect(again.seconds - second.seconds).toBeGreaterThan(0.9 * (decode + invert));
});

test('an inversion that is kept on the same disk is not counted', async () => {
  const clip = await probeClip(job.inputPath);
  const model = await readModelOutline(job.modelDir);
  const settings = chooseSettings(job.settings, { guidance: 3, steps: 2 });
  const clipSha256 = 'ab'.repeat(32);
  const keeping = {
    ...job,
    clipSha256,
    inversionsDir: path.join(dir, 'inversions'),
    workDir: path.join(dir, 'keeping'),
  };
  const isKept = (change: Partial<EditJob>) =>
    isInversionKept({
      job: { ...keeping, ...change },
      clip,
      model,
      settings,
      plan: planEdit(clip, model, settings),
      execution: preferredExecution.cpu,
    });
  expect(await isKept({})).toBe(false);
  await runSharing(keeping, { onProgress: () => undefined });
  expect(await isKept({})).toBe(true);
  expect(await isKept({ clipSha256: 'cd'.repeat(32) })).toBe(false);
  expect(await isKept({ inversionsDir: path.join(dir, 'elsewhere') })).toBe(false);
});

test('an estimate looks into a clip only when it is not told what is in it', async () => {
  const clip = await probeClip(job.inputPath);
  vi.stubEnv('FFPROBE_PATH', path.join(dir, 'no-ffprobe'));
  const engine = createEngine({ entry: new URL('../worker/process.ts', import.meta.url) });
  try {
    await expect(engine.estimate(job)).rejects.toMatchObject({ code: 'ffmpeg-missing' });
    expect(await engine.estimate({ ...job, clip })).toMatchObject({ frames: 5 });
  } finally {
    vi.unstubAllEnvs();
    await engine.close();
  }
});

test('an estimate that is canceled ends before it has looked at everything', async () => {
  const canceler = new AbortController();
  const estimated = estimateEdit({ ...job, cacheDir: path.join(dir, 'no-throughput') }, canceler.signal);
  canceler.abort();
  await expect(estimated).rejects.toThrow(CanceledError);
});
