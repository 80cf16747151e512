// The draft pipeline and models of few steps from file to file: what they cost, what is kept of the source, and that where
// nothing is asked for the clip comes back.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyCheckpoint, tinyPrompts } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { maxAbsError } from '../../../../test/numbers.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runSharing, runTinyEdit, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { estimateEdit } from '../estimate/estimate.ts';
import type { EditJob } from './edit-job.ts';

let dir: string;
let modelDir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-draft-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '24', 16), '-c:v', 'ffv1']);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

let edits = 0;

function jobOf(settings: Partial<EditSettings>, change: Partial<EditJob> = {}): EditJob {
  const left = { steps: null, inversionSteps: null, pipeline: 'draft' } as const;
  return { ...tinyJob({ dir, modelDir, inputPath }, `edit-${edits++}`, { ...left, ...settings }), ...change };
}

/** The values of the edit's latents after its last step, and those of the clip. */
async function latentsOf({ workDir }: EditJob, steps: number): Promise<Record<'edited' | 'clean', Float32Array>> {
  const floats = async (name: string) => {
    const bytes = await readFile(path.join(workDir, name));
    return new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
  };
  const both = await floats('edit.latents');
  const size = both.length / 2;
  const slot = steps % 2;
  return {
    edited: both.subarray(slot * size, (slot + 1) * size),
    clean: (await floats('source.latents')).subarray(0, size),
  };
}

/** Edits that several tests look at run once. */
function once<T>(run: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= run());
}

describe('a draft', () => {
  const kept = () => ({ clipSha256: 'ab'.repeat(32), inversionsDir: path.join(dir, 'inversions') });
  const first = once(async () => {
    const job = jobOf({}, kept());
    const estimate = await estimateEdit(job);
    return { estimate, report: (await runTinyEdit(job)).report };
  });

  it('takes at most 12 evaluations per frame, as its estimate says', async () => {
    const { estimate, report } = await first();
    expect(report.chosen).toEqual({ guideBy: 'negative', guidance: 3, steps: 5, inversionSteps: 5 });
    // Keyframes: with the source and guidance for three steps, with the source for one, with the prompt alone for one.
    expect(report.unetEvaluations).toEqual({ inversion: 5 * 16, sampling: 2 * (3 * 3 + 2 + 1) + 14 * 5 });
    expect(estimate.unetEvaluations).toEqual(report.unetEvaluations);
    const { inversion, sampling } = report.unetEvaluations;
    expect((inversion + sampling) / report.frames).toBeLessThanOrEqual(12);
  });

  it('of another prompt and seed finds the clip noised already', async () => {
    await first();
    const { report } = await runTinyEdit(jobOf({ prompt: tinyPrompts.source, seed: 5 }, kept()));
    expect(report.unetEvaluations.inversion).toBe(0);
    // The fast pipeline needs an inversion of its own.
    const fast = await estimateEdit(jobOf({ pipeline: 'fast', steps: 5, inversionSteps: 5 }, kept()));
    expect(fast.unetEvaluations.inversion).toBe(5 * 16);
  });

  it('of what the clip shows already, frame by frame and without guidance, is the clip', async () => {
    const job = jobOf({
      prompt: tinyPrompts.source,
      guidance: 0,
      technique: 'none',
      propagation: 'per-frame',
    });
    await runTinyEdit(job);
    const { edited, clean } = await latentsOf(job, 5);
    expect(maxAbsError(edited, clean)).toBeLessThan(1e-4);
  });

  const whole = once(async () => {
    const job = jobOf({ endSeconds: 4 / 24, keyframeInterval: 2 });
    await runTinyEdit(job);
    return { job, frames: await framesOf(job) };
  });

  it.each([
    ['invert', 3],
    ['edit', 2],
  ] as const)('cut after step %s %i continues to the same frames', async (stage, step) => {
    const { job, frames } = await whole();
    const cut = { ...job, workDir: path.join(dir, `cut-${stage}`), outputPath: path.join(dir, `cut-${stage}.mov`) };
    await runUntil(cut, stage, step);
    await runSharing(cut, { onProgress: () => undefined });
    expect(await framesOf(cut)).toEqual(frames);
  });

  it('as a preview shows the keyframes in all of its steps', async () => {
    const { report } = await runTinyEdit(jobOf({ preview: true, endSeconds: 10 / 24 }));
    expect(report).toMatchObject({ frames: 2, chosen: { steps: 5, inversionSteps: 5 } });
  });
});

describe('a model of few steps', () => {
  const modelOf = async (scheduler: object, name: string): Promise<string> => {
    const folder = await makeTinyCheckpoint(path.join(dir, name));
    const file = path.join(folder, 'scheduler', 'scheduler_config.json');
    const usual = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...usual, ...scheduler }));
    return folder;
  };
  const short = { endSeconds: 2 / 24, keyframeInterval: 2, guidance: null } as const;

  const kinds: readonly (readonly [string, object, string])[] = [
    ['LCM', { _class_name: 'LCMScheduler' }, 'one'],
    ['TCD', { _class_name: 'TCDScheduler' }, 'two'],
    ['Turbo', { _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'trailing' }, 'three'],
    ['Lightning', {}, 'mine-lightning-4step'],
  ];
  it.each(kinds)(
    'of the kind %s takes 4 steps without a negative branch, where the user chose nothing',
    async (kind, scheduler, name) => {
      const model = await modelOf(scheduler, name);
      const job = jobOf({ ...short, pipeline: 'fast', technique: 'none' }, { modelDir: model });
      const wanted = { inversion: 4 * 2, sampling: 4 * 2 };
      expect((await estimateEdit(job)).unetEvaluations).toEqual(wanted);
      // Both take the same steps.
      if (kind === 'Turbo') return;
      const { report } = await runTinyEdit(job);
      expect(report.chosen).toEqual({ guideBy: 'negative', guidance: 1, steps: 4, inversionSteps: 4 });
      expect(report.unetEvaluations).toEqual(wanted);
    },
  );

  it('gives the clip back where nothing is asked for, though LCM adds noise in every step', async () => {
    const model = await modelOf({ _class_name: 'LCMScheduler' }, 'lcm-again');
    const unasked = { prompt: tinyPrompts.source, technique: 'none', propagation: 'per-frame' } as const;
    const job = jobOf({ ...short, ...unasked, pipeline: 'fast' }, { modelDir: model });
    await runTinyEdit(job);
    const { edited, clean } = await latentsOf(job, 4);
    expect(maxAbsError(edited, clean)).toBeLessThan(1e-4);
  });

  it('is edited by the reference pipeline too, and from fresh noise the same at every run', async () => {
    const model = await modelOf({ _class_name: 'LCMScheduler' }, 'lcm-reference');
    const reference = { pipeline: 'reference', propagation: 'reference', steps: 1, inversionSteps: 2 } as const;
    const noisy = { pipeline: 'fast', technique: 'sdedit', initialNoise: 'shared' } as const;
    const jobs = [reference, noisy, noisy].map((change) => jobOf({ ...short, ...change }, { modelDir: model }));
    for (const job of jobs) await runTinyEdit(job);
    const [other, first, second] = await Promise.all(jobs.map(framesOf));
    expect(other).toHaveLength(2);
    expect(first).toEqual(second);
    expect(first).not.toEqual(other);
  });
});
