// The fast pipeline from file to file: the calibration, previews, clips with a cut, and what is kept of the source.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runSharing, runTinyEdit, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import type { EditProgress } from '../../../../protocol/progress.ts';
import { CanceledError } from '../../errors.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { describeVideo, makeClip, soundPackets, testPicture } from '../../media/testing/clips.ts';
import { drawKeyframes } from '../../tokenflow/keyframes.ts';
import { scenesOf } from '../../tokenflow/scenes.ts';
import type { EditJob } from './edit-job.ts';
import type { SourceAnalysis } from '../source-cache/inversion-entry.ts';
import { keyframeSeed } from '../plan/keyframe-seed.ts';

let dir: string;
let modelDir: string;
/** Six frames with sound, the last three of another scene; the same with a third scene in their place. */
let cutClip: string;
let otherCutClip: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-fast-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  const sceneAt3 = (name: string, filter: string) =>
    makeClip(path.join(dir, name), [
      ...['-f', 'lavfi', '-i', 'sine=duration=0.6'],
      ...[...testPicture('64x48', '10', 6), '-c:a', 'pcm_s16le'],
      ...['-vf', `format=gbrp,${filter}:enable='gte(n,3)'`, '-c:v', 'ffv1'],
    ]);
  cutClip = await sceneAt3('cut.mkv', 'negate=components=r+g+b');
  otherCutClip = await sceneAt3('other.mkv', 'drawbox=color=gray:t=fill');
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

let edits = 0;

function jobOf(settings: Partial<EditSettings> = {}, change: Partial<EditJob> = {}): EditJob {
  const chosen = { inversionSteps: 4, keyframeInterval: 2, ...settings };
  const job = tinyJob({ dir, modelDir, inputPath: cutClip }, `edit-${edits++}`, chosen);
  return { ...job, ...change };
}

/** Some frames' latents, of so many, in one slot of a file in the work folder. */
async function latentsOf(
  { workDir }: EditJob,
  name: string,
  { slot, frames, of }: { slot: number; frames: readonly number[]; of: number },
): Promise<number[]> {
  // The edit's own latents are two slots of all frames.
  const { size: ownBytes } = await stat(path.join(workDir, 'edit.latents'));
  const size = ownBytes / 4 / 2 / of;
  const bytes = await readFile(path.join(workDir, name));
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
  return frames.flatMap((frame) => {
    const start = (slot * of + frame) * size;
    return [...values.subarray(start, start + size)];
  });
}

const analysisOf = async ({ workDir }: EditJob): Promise<SourceAnalysis> =>
  JSON.parse(await readFile(path.join(workDir, 'analysis.json'), 'utf8')) as SourceAnalysis;

describe('the calibration', () => {
  it('measures before the edit is paid for, and adds forwards as its report says', async () => {
    const job = jobOf({ inversionSteps: null, steps: 1 });
    const { report, progress } = await runTinyEdit(job);
    const { inversionSteps } = report.chosen;
    expect([2, 4, 8]).toContain(inversionSteps);
    expect(report.reconstructionPsnr).toBeGreaterThan(0);
    const tried = [2, 4, 8].filter((count) => count <= inversionSteps);
    // For each try, one frame is inverted and sampled back; then all frames.
    const calibration = tried.reduce((sum, count) => sum + count + 1, 0);
    expect(report.unetEvaluations.inversion).toBe(calibration + 6 * inversionSteps);
    // A single step is found again at once, by any network.
    expect(report.reconstructionPsnr).toBeGreaterThan(32);
    const shares = progress.map((state) => state.progress);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(await analysisOf(job)).toMatchObject({ inversionSteps, reconstructionPsnr: report.reconstructionPsnr });
  });

  it('does not keep a canceled edit waiting', async () => {
    const job = jobOf({ inversionSteps: null });
    const controller = new AbortController();
    const onProgress = ({ stage }: EditProgress) => {
      if (stage === 'invert') controller.abort();
    };
    await expect(runSharing(job, { onProgress, signal: controller.signal })).rejects.toThrow(CanceledError);
    // It ended before the calibration did, which would have written what it found.
    expect(existsSync(path.join(job.workDir, 'analysis.json'))).toBe(false);
  });
});

describe('a preview', () => {
  it('is a clip of just the keyframes that the edit begins with, without sound, in half of the steps', async () => {
    const job = jobOf(
      { preview: true, steps: 4, inversionSteps: 8, seed: 5, startSeconds: 0.1, endSeconds: 0.6, codec: 'h264' },
      { outputPath: path.join(dir, 'preview.mp4') },
    );
    const { report } = await runTinyEdit(job);
    const clip = await probeClip(cutClip);
    const keyframes = drawKeyframes(keyframeSeed(clip, { seed: 5 }, true), 0, scenesOf(5, []), 2);
    expect(keyframes).toHaveLength(3);
    expect(report).toMatchObject({ frames: 3, frameIndices: keyframes, reconstructionPsnr: null });
    expect(report.chosen).toMatchObject({ steps: 2, inversionSteps: 2 });
    expect(report.unetEvaluations.inversion).toBe(2 * 3);
    expect(await probeClip(job.outputPath)).toMatchObject({ frameCount: 3 });
    expect(await describeVideo(job.outputPath)).toMatchObject({ codec_name: 'h264' });
    expect(await soundPackets(job.outputPath).catch(() => [])).toEqual([]);

    const edit = jobOf({ steps: 4, inversionSteps: 4, seed: 5, startSeconds: 0.1, endSeconds: 0.6 });
    const whole = await runTinyEdit(edit);
    expect(whole.report).toMatchObject({ frames: 5, frameIndices: null });
    const shown = await latentsOf(job, 'source.latents', { slot: 0, frames: [0, 1, 2], of: 3 });
    const own = await latentsOf(edit, 'source.latents', { slot: 0, frames: keyframes, of: 5 });
    expect(shown).toBeAllClose(own, { atol: 1e-4 });
  });
});

describe('a preview and its edit', () => {
  /** Jobs that keep their inversions together. */
  const kept = (name: string) => ({
    clipSha256: 'ab'.repeat(32),
    inversionsDir: path.join(dir, `shared ${name}`),
  });

  it('look at the keyframes once: what the preview has inverted the edit does not, and gets the same frames', async () => {
    const alone = jobOf();
    const { report: whole } = await runTinyEdit(alone);
    const { report: preview } = await runTinyEdit(jobOf({ preview: true }, kept('first')));
    expect(preview.unetEvaluations.inversion).toBe(3);
    const after = jobOf({}, kept('first'));
    const { report } = await runTinyEdit(after);
    expect(report.unetEvaluations).toEqual({
      inversion: whole.unetEvaluations.inversion - preview.unetEvaluations.inversion,
      sampling: whole.unetEvaluations.sampling,
    });
    const [expected, actual] = [await framesOf(alone), await framesOf(after)];
    for (const [i, frame] of actual.entries()) {
      expect(frame.map(Number)).toBeAllClose(expected[i] ?? [], { atol: 1 });
    }
  });

  it('share it the other way as well: a preview after an edit inverts nothing', async () => {
    await runTinyEdit(jobOf({}, kept('second')));
    const { report } = await runTinyEdit(jobOf({ preview: true, prompt: 'a photo of a dog' }, kept('second')));
    expect(report.unetEvaluations.inversion).toBe(0);
  });
});

describe('a preview in the reference pipeline', () => {
  it('by the reference rule shows each keyframe as itself', async () => {
    const preview = { preview: true, steps: 2, inversionSteps: 2, keyframeInterval: 2 } as const;
    const framesBy = async (propagation: 'paper' | 'reference') => {
      const job = jobOf({ ...preview, pipeline: 'reference', propagation });
      await runTinyEdit(job);
      return framesOf(job);
    };
    const frames = await framesBy('reference');
    expect(frames).toHaveLength(3);
    expect(frames).toEqual(await framesBy('paper'));
  });
});

describe('a clip with a cut', () => {
  /** All that is edited before the cut. */
  const firstScene = (job: EditJob, slot: number) => latentsOf(job, 'edit.latents', { slot, frames: [0, 1, 2], of: 6 });

  it('is edited scene by scene: what comes after the cut leaves no mark before it', async () => {
    const [job, other] = [jobOf({ seed: 3 }), jobOf({ seed: 3 }, { inputPath: otherCutClip })];
    const { report, progress } = await runTinyEdit(job);
    await runTinyEdit(other);
    for (const each of [job, other]) expect(await analysisOf(each)).toMatchObject({ cuts: [3] });
    // The work was planned as it came: each stage ends where the next begins.
    const ends = progress.filter((state, i) => progress[i + 1]?.stage !== state.stage);
    const begins = progress.filter((state, i) => i > 0 && progress[i - 1]?.stage !== state.stage);
    const shareOf = ({ progress: share }: EditProgress): number => share;
    expect(ends.slice(0, -1).map(shareOf)).toEqual(begins.map(shareOf));
    // After two steps the latents are in the first slot.
    expect(await firstScene(job, 0)).toBeAllClose(await firstScene(other, 0), { atol: 1e-4 });
    // Two keyframes in each scene: with the source, negative and target in the first step, target alone in the second.
    expect(report.unetEvaluations).toEqual({ inversion: 4 * 6, sampling: 4 * (3 + 1) + 2 * 2 });
    expect(report.reconstructionPsnr).toBeNull();
  });

  it('by the reference pipeline is edited as one scene, at its price', async () => {
    const reference = { pipeline: 'reference', propagation: 'reference', seed: 3 } as const;
    const [job, other] = [jobOf(reference), jobOf(reference, { inputPath: otherCutClip })];
    const { report } = await runTinyEdit(job);
    await runTinyEdit(other);
    expect(await analysisOf(job)).toMatchObject({ cuts: [] });
    expect(await firstScene(job, 0)).not.toBeAllClose(await firstScene(other, 0), { atol: 1e-3 });
    // Three keyframes and six frames in three branches, in each of two steps.
    expect(report.unetEvaluations).toEqual({ inversion: 4 * 6, sampling: 2 * 3 * (3 + 6) });
  });

  describe('and cut short', () => {
    let kept: Partial<EditJob>;
    let expected: readonly Uint8Array[];
    beforeAll(async () => {
      const clipSha256 = createHash('sha256')
        .update(await readFile(cutClip))
        .digest('hex');
      kept = { clipSha256, inversionsDir: path.join(dir, 'inversions') };
      const whole = jobOf();
      await runTinyEdit(whole);
      expected = await framesOf(whole);
    });

    it.each([
      ['invert', 1],
      ['edit', 1],
    ] as const)('after step %s %i, goes on to the same frames', async (stage, step) => {
      const job = jobOf();
      await runUntil(job, stage, step);
      await runTinyEdit(job);
      expect(await analysisOf(job)).toMatchObject({ cuts: [3] });
      expect(await framesOf(job)).toEqual(expected);
    });

    it('with an inversion from before, knows its cuts and its records', async () => {
      await runTinyEdit(jobOf({}, kept));
      const again = jobOf({}, kept);
      await runUntil(again, 'edit', 1);
      // What is kept is not needed any more.
      await rm(path.join(dir, 'inversions'), { recursive: true });
      const { report } = await runTinyEdit(again);
      expect(report.unetEvaluations.inversion).toBe(0);
      expect(await analysisOf(again)).toMatchObject({ cuts: [3] });
      expect(await framesOf(again)).toEqual(expected);
    });

    it('records of other keyframes are not taken for its own', async () => {
      await runTinyEdit(jobOf({ keyframeInterval: 3 }, kept));
      const { report } = await runTinyEdit(jobOf({ keyframeInterval: 1 }, kept));
      expect(report.unetEvaluations.inversion).toBe(4 * 6);
      const same = await runTinyEdit(jobOf({ keyframeInterval: 1, prompt: 'a photo of a dog' }, kept));
      expect(same.report.unetEvaluations.inversion).toBe(0);
    });
  });
});
