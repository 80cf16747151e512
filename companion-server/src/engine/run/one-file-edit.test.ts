// A checkpoint in one file edits a clip as the folder does from which it was made.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRegularCheckpoint, regularSizes } from '../../../../test/fixtures/regular-checkpoint.ts';
import { invertFolder, writeRaw } from '../../../../test/fixtures/single-file.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, tinyJob } from '../../../../test/tiny-edits.ts';
import { sha256OfFile } from '../../files/sha256.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';

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
  ['sdxl', undefined, { technique: 'none', propagation: 'per-frame' }],
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
