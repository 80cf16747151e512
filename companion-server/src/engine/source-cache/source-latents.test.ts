// An edit that finds the inversion of an earlier one gives the same frames as one that does not.

import { createHash } from 'node:crypto';
import { readdir, readFile, rm, mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runSharing, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditReport } from '../../../../protocol/edit-report.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import type { EditJob } from '../run/edit-job.ts';
import { listInversions } from './inversion-cache.ts';

let dir: string;
let inversionsDir: string;
let modelDir: string;
let inputPath: string;
let clipSha256: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-source-'));
  inversionsDir = path.join(dir, 'inversions');
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '24', 2), '-c:v', 'ffv1']);
  clipSha256 = createHash('sha256')
    .update(await readFile(inputPath))
    .digest('hex');
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});
beforeEach(() => rm(inversionsDir, { recursive: true, force: true }));

const reused = 'The inversion of an earlier edit of this clip was used again.';
let edits = 0;

function jobOf(settings: Partial<EditSettings> = {}, change: Partial<EditJob> = {}): EditJob {
  // Fewer networks to load.
  const chosen = { propagation: 'per-frame', ...settings } as const;
  const job = tinyJob({ dir, modelDir, inputPath }, `edit-${edits++}`, chosen);
  return { ...job, clipSha256, inversionsDir, ...change };
}

/** Runs the edit to its end and removes its work folder, as its caller does. */
async function edit(job: EditJob): Promise<EditReport> {
  const report = await runSharing(job, { onProgress: () => undefined });
  await rm(job.workDir, { recursive: true });
  return report;
}

const isReused = ({ notices, unetEvaluations }: EditReport) => {
  expect(notices.includes(reused)).toBe(unetEvaluations.inversion === 0);
  return notices.includes(reused);
};

/** The frames of the same edit without anything kept. */
async function framesWithout(settings: Partial<EditSettings>): Promise<readonly Uint8Array[]> {
  const job = jobOf(settings, { inversionsDir: null });
  expect(isReused(await edit(job))).toBe(false);
  return framesOf(job);
}

describe('another edit of the same clip', () => {
  test.each<[string, Partial<EditSettings>]>([
    ['with another prompt', { prompt: 'a photo of a dog' }],
    ['with another seed', { seed: 5 }],
    ['with another strength, guidance and negative prompt', { strength: 0.2, guidance: 5, negativePrompt: 'a dog' }],
    ["by SDEdit from the clip's own latents", { technique: 'sdedit', strength: 0.5, initialNoise: 'own' }],
  ])('%s skips the inversion and gives the same frames, to the bit', async (_name, settings) => {
    expect(isReused(await edit(jobOf()))).toBe(false);
    const job = jobOf(settings);
    const progress: number[] = [];
    const report = await runSharing(job, { onProgress: (state) => progress.push(state.progress) });
    expect(isReused(report)).toBe(true);
    expect(Object.keys(report.stageSeconds)).not.toContain('invert');
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBe(1);
    expect(await framesOf(job)).toEqual(await framesWithout(settings));
  });

  test('by SDEdit reads what a whole inversion recorded, from its own first step on', async () => {
    const longer = path.join(dir, 'longer.mkv');
    await makeClip(longer, [...testPicture('64x48', '24', 5), '-c:v', 'ffv1']);
    const change = { inputPath: longer, clipSha256: 'of the longer clip' };
    // Of five frames one is a keyframe; the others read records.
    const pnp = { propagation: 'paper', keyframeInterval: 5, steps: 4, inversionSteps: 4 } as const;
    const sdedit = { ...pnp, technique: 'sdedit', strength: 0.5, initialNoise: 'inversion' } as const;
    expect(isReused(await edit(jobOf(pnp, change)))).toBe(false);
    const job = jobOf(sdedit, change);
    expect(isReused(await edit(job))).toBe(true);
    const alone = jobOf(sdedit, { ...change, inversionsDir: null });
    expect(isReused(await edit(alone))).toBe(false);
    expect(await framesOf(job)).toEqual(await framesOf(alone));
  });

  test('with another source prompt is inverted anew', async () => {
    await edit(jobOf());
    expect(isReused(await edit(jobOf({ sourcePrompt: 'a cat' })))).toBe(false);
    expect(await listInversions(inversionsDir)).toHaveLength(2);
  });
});

test('what SDEdit has inverted half-way serves SDEdit, and a whole inversion replaces it', async () => {
  const sdedit = { technique: 'sdedit', strength: 0.5, initialNoise: 'inversion' } as const;
  await edit(jobOf(sdedit));
  expect(isReused(await edit(jobOf({ ...sdedit, seed: 4 })))).toBe(true);
  expect(isReused(await edit(jobOf()))).toBe(false);
  expect(isReused(await edit(jobOf()))).toBe(true);
  expect(isReused(await edit(jobOf(sdedit)))).toBe(true);
  expect(await listInversions(inversionsDir)).toHaveLength(1);
});

test('a damaged inversion is computed again, and the frames are right', async () => {
  await edit(jobOf());
  const [kept] = await listInversions(inversionsDir);
  const file = path.join(inversionsDir, kept?.key ?? '', 'latents');
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(777) ^ 4, 777);
  await writeFile(file, bytes);
  const job = jobOf();
  expect(isReused(await edit(job))).toBe(false);
  expect(await framesOf(job)).toEqual(await framesWithout({}));
  expect(isReused(await edit(jobOf()))).toBe(true);
});

test('where nothing can be kept, the edit is done and says so', async () => {
  await writeFile(inversionsDir, 'a file where the folder should be');
  const report = await edit(jobOf());
  expect(report.notices.join()).toContain('The inversion was not kept for further edits');
});

describe('an edit that is cut short', () => {
  test('before its inversion was kept keeps it when it goes on', async () => {
    const job = jobOf();
    await runUntil(job, 'edit', 0);
    expect(isReused(await edit(job))).toBe(false);
    expect(isReused(await edit(jobOf()))).toBe(true);
  });

  test('with an inversion from before goes on with it, even when it is not kept any more', async () => {
    await edit(jobOf());
    const job = jobOf({ seed: 3 });
    await runUntil(job, 'edit', 1);
    await rm(inversionsDir, { recursive: true });
    expect(isReused(await edit(job))).toBe(true);
    expect(await framesOf(job)).toEqual(await framesWithout({ seed: 3 }));
  });

  test('and begun again with other settings does not spoil what is kept', async () => {
    const job = jobOf();
    await runUntil(job, 'edit', 1);
    await edit({ ...job, settings: { ...job.settings, sourcePrompt: 'a cat' } });
    expect((await readdir(inversionsDir)).length).toBe(2);
    expect(isReused(await edit(jobOf()))).toBe(true);
  });
});
