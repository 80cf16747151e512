// A checkpoint in one file edits a clip as the folder does from which it was made, a model of few steps as well.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRegularCheckpoint, regularSizes } from '../../../../test/fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw } from '../../../../test/fixtures/single-file.ts';
import { writeJson } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { sha256OfFile } from '../../files/sha256.ts';
import { makeClip, picturePackets, testPicture } from '../../media/testing/clips.ts';

let dir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-one-file-'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x64', '10', 2), '-c:v', 'ffv1']);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

/** Fewer levels, and for the other an edit of fewer kinds of passes: what takes time is to load networks. */
const cases = [
  ['sd1', { ...regularSizes.sd1, channels: regularSizes.sd1.channels.slice(0, 2) }, {}],
  ['sd2', regularSizes.sd2, { technique: 'none', propagation: 'per-frame' }],
] as const;

test.each(cases)('one file of %s makes the same frames as its folder, to the bit', async (family, size, settings) => {
  const folder = await makeRegularCheckpoint(path.join(dir, family), family, 'F16', size);
  const file = path.join(dir, `${family}.safetensors`);
  await writeRaw(file, await invertFolder(folder, family));
  const results = [];
  for (const [name, modelDir] of Object.entries({ folder, file })) {
    const job = tinyJob({ dir, modelDir, inputPath }, `${family}-${name}`, {
      steps: 1,
      inversionSteps: 1,
      ...settings,
    });
    await runTinyEdit(job);
    results.push(await sha256OfFile(job.outputPath));
  }
  expect(results[1]).toBe(results[0]);
});

test.each([
  // A folder says what it is by its scheduler, as SDXL-Turbo's does; a file by its name.
  ['Turbo', 'film-turbo', { _class_name: 'EulerAncestralDiscreteScheduler', timestep_spacing: 'trailing' }],
  ['LCM', 'film-lcm', { _class_name: 'LCMScheduler', timestep_spacing: 'leading' }],
])(
  'a model of few steps of Stable Diffusion XL (%s) is edited in 4 steps without a negative branch, in both forms',
  async (kind, name, scheduler) => {
    const folder = await makeRegularCheckpoint(path.join(dir, `xl-${kind.length}`), 'sdxl');
    const config = path.join(folder, 'scheduler', 'scheduler_config.json');
    const usual = JSON.parse(await readFile(config, 'utf8')) as object;
    await writeJson(path.dirname(config), path.basename(config), { ...usual, ...scheduler });
    const file = path.join(dir, `${name}.safetensors`);
    await writeRaw(file, await invertFolder(folder, 'sdxl'));
    const left = { steps: null, inversionSteps: null, guidance: null } as const;
    const short = { technique: 'none', propagation: 'per-frame', negativePrompt: 'ugly' } as const;
    const edit = async (form: string, modelDir: string, change: Partial<EditSettings> = {}) => {
      const job = tinyJob({ dir, modelDir, inputPath }, `${name}-${form}`, { ...left, ...short, ...change });
      const { report } = await runTinyEdit(job);
      return { report, pictures: await picturePackets(job.outputPath) };
    };
    const [first, second] = [await edit('folder', folder), await edit('file', file)];
    expect(first.report.chosen).toEqual({ guideBy: 'negative', guidance: 1, steps: 4, inversionSteps: 4 });
    expect(first.report.unetEvaluations).toEqual({ inversion: 4 * 2, sampling: 4 * 2 });
    expect(second.report).toMatchObject({ chosen: first.report.chosen, unetEvaluations: first.report.unetEvaluations });
    expect(second.pictures).toEqual(first.pictures);
    // The negative prompt is not read.
    expect((await edit('plain', file, { negativePrompt: '' })).pictures).toEqual(first.pictures);
  },
);
