// Whole edits with a tiny checkpoint of Stable Diffusion XL: every technique, both pipelines, and what the estimate says.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runTinyEdit, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { estimateEdit } from '../estimate/estimate.ts';

const frames = 5;
const modelDir = path.join(goldenDir, 'sdxl');

let dir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-sdxl-edit-'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', frames), '-c:v', 'ffv1']);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

let edits = 0;
async function edit(settings: Partial<EditSettings> = {}) {
  const prompts = { prompt: 'a silver wolf', sourcePrompt: 'a wolf' };
  const job = tinyJob({ dir, modelDir, inputPath }, `edit-${edits++}`, {
    keyframeInterval: 2,
    ...prompts,
    ...settings,
  });
  const { report } = await runTinyEdit(job);
  return { job, report, pictures: await framesOf(job) };
}

/** Mean absolute difference of two clips' pixels. */
function difference(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  const each = a.map(
    (frame, i) => frame.reduce((sum, x, j) => sum + Math.abs(x - (b[i]?.[j] ?? NaN)), 0) / frame.length,
  );
  return each.reduce((sum, x) => sum + x, 0) / each.length;
}

describe('an edit with Stable Diffusion XL', () => {
  it('follows its prompt, and takes as much work as was estimated', async () => {
    const { job, report, pictures } = await edit({ technique: 'none' });
    expect(pictures).toHaveLength(frames);
    const estimate = await estimateEdit({ ...job, workDir: path.join(dir, 'unused') });
    expect(estimate.unetEvaluations).toEqual(report.unetEvaluations);
    const other = await edit({ technique: 'none', prompt: 'a marble woman' });
    expect(difference(other.pictures, pictures)).toBeGreaterThan(0.5);
  });

  it('is drawn away from its negative prompt', async () => {
    const plain = await edit({ technique: 'none' });
    const away = await edit({ technique: 'none', negativePrompt: 'ugly, blurry' });
    expect(difference(away.pictures, plain.pictures)).toBeGreaterThan(0.5);
  });

  it('takes what Plug-and-Play injects from the source', async () => {
    const injected = await edit({ technique: 'pnp', strength: 0 });
    const free = await edit({ technique: 'pnp', strength: 1 });
    const none = await edit({ technique: 'none' });
    expect(difference(injected.pictures, free.pictures)).toBeGreaterThan(0.5);
    expect(difference(free.pictures, none.pictures)).toBeLessThan(0.01);
  });

  it('runs in the reference pipeline, where the source is computed at every step', async () => {
    const { report, pictures } = await edit({ pipeline: 'reference', propagation: 'reference' });
    expect(pictures).toHaveLength(frames);
    expect(report.unetEvaluations.sampling).toBeGreaterThan(0);
  });
});
