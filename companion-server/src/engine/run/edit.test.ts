// Whole edits of tiny clips with a tiny checkpoint, from file to file, through the real ffmpeg and ONNX Runtime.

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runSharing, runTinyEdit, tinyJob } from '../../../../test/tiny-edits.ts';
import { editReport } from '../../../../protocol/edit-report.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { parse } from '../../../../protocol/fields.ts';
import { maxPromptCharacters } from '../../../../protocol/limits.ts';
import type { EditProgress } from '../../../../protocol/progress.ts';
import { CanceledError } from '../../errors.ts';
import { findProgram } from '../../media/ffmpeg/binaries.ts';
import { decodeFrames } from '../../media/decode/frames.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { collect, makeClip, packetsOf, testPicture } from '../../media/testing/clips.ts';
import type { EditJob } from './edit-job.ts';
import { runEdit } from './edit.ts';

let dir: string;
let modelDir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-edit-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

const clip = (size: string, rate: string, count: number) =>
  makeClip(path.join(dir, `${size}-${rate.replace('/', '-')}-${count}.mkv`), [
    ...testPicture(size, rate, count),
    // The test picture itself comes in even sizes only.
    ...['-vf', `format=gbrp,pad=64:64,crop=${size.replace('x', ':')}:0:0:exact=1`],
    ...['-c:v', 'ffv1'],
  ]);

/** Small and quick: one step. */
function jobOf(name: string, inputPath: string, settings: Partial<EditSettings> = {}): EditJob {
  const { steps = 1 } = settings;
  const chosen = { steps, inversionSteps: steps, keyframeInterval: 2, ...settings };
  return tinyJob({ dir, modelDir, inputPath }, name, chosen);
}

describe('an edit', () => {
  it("keeps the clip's frames, rate and size, and reports what it did", async () => {
    const job = jobOf('plain', await clip('64x48', '30000/1001', 3), { steps: 2 });
    const progress: EditProgress[] = [];
    const report = await runEdit(job, { onProgress: (state) => progress.push(state) });
    const result = await probeClip(job.outputPath);
    expect(result).toMatchObject({
      frameCount: 3,
      frameRate: { numerator: 30000, denominator: 1001 },
      frameSize: { width: 64, height: 48 },
    });
    expect(report).toMatchObject({
      device: 'cpu',
      frames: 3,
      outputSize: { width: 64, height: 48 },
      workingSize: { width: 64, height: 48 },
      // Two keyframes in three branches, then in one; the third frame in one.
      unetEvaluations: { inversion: 2 * 3, sampling: 2 * (3 + 1) + 2 * 1 },
    });
    expect(Object.keys(report.stageSeconds)).toEqual(['load', 'decode', 'invert', 'edit', 'encode']);
    const shares = progress.map((state) => state.progress);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toMatchObject({ stage: 'encode', progress: 1 });

    const [before, after] = [await pictures(job.inputPath), await pictures(job.outputPath)];
    expect(after).not.toEqual(before);
  });

  it('with the same seed gives the same file, byte by byte', async () => {
    const input = await clip('64x48', '10', 4);
    const [once, again, other] = [1, 1, 2].map((seed, i) =>
      jobOf(`seed${i}`, input, { seed, propagation: 'reference', codec: 'h264' }),
    );
    if (once === undefined || again === undefined || other === undefined) throw new TypeError();
    for (const job of [once, again, other]) await runTinyEdit(job);
    const latents = (job: EditJob) => readFile(path.join(job.workDir, 'edit.latents'));
    expect(await readFile(again.outputPath)).toEqual(await readFile(once.outputPath));
    expect(await latents(again)).toEqual(await latents(once));
    expect(await latents(other)).not.toEqual(await latents(once));
  });

  it('of one frame of odd size gives one frame of that size', async () => {
    const job = jobOf('single', await clip('53x37', '25', 1), { technique: 'none' });
    const { report } = await runTinyEdit(job);
    expect(await probeClip(job.outputPath)).toMatchObject({
      frameCount: 1,
      frameSize: { width: 53, height: 37 },
    });
    expect(report.workingSize).toEqual({ width: 64, height: 45 });
  });

  it('of a range gives the frames of the range', async () => {
    const range = { startSeconds: 0.2, endSeconds: 0.4 };
    const job = jobOf('range', await clip('64x48', '10', 6), {
      ...range,
      technique: 'sdedit',
      strength: 0.5,
      steps: 2,
      propagation: 'per-frame',
    });
    const { report } = await runTinyEdit(job);
    expect(await probeClip(job.outputPath)).toMatchObject({ frameCount: 2 });
    // SDEdit at half strength inverts and samples one of two steps; nothing is injected, so two branches.
    expect(report.unetEvaluations).toEqual({ inversion: 2, sampling: 2 * 2 });
  });

  it('by SDEdit starts where its noise says', async () => {
    const input = await clip('64x48', '10', 4);
    const noises = ['inversion', 'shared', 'own', 'own'] as const;
    const latents: Buffer[] = [];
    for (const [i, noise] of noises.entries()) {
      const sdedit = { technique: 'sdedit', strength: 0.5, steps: 2, initialNoise: noise } as const;
      const job = jobOf(`noise ${i}`, input, sdedit);
      // The inversion is done for the correspondences, whatever the start.
      expect((await runTinyEdit(job)).report.unetEvaluations.inversion).toBe(4);
      latents.push(await readFile(path.join(job.workDir, 'edit.latents')));
    }
    const [inversion, shared, own, again] = latents;
    expect(shared).not.toEqual(inversion);
    expect(own).not.toEqual(shared);
    expect(again).toEqual(own);
  });

  it('tells how many frames of a damaged clip are missing', async () => {
    const input = path.join(dir, 'damaged.mp4');
    const h264 = ['-c:v', 'libx264', '-g', '1', '-pix_fmt', 'yuv420p'];
    await makeClip(input, [...testPicture('64x48', '25', 8), ...h264]);
    const bytes = await readFile(input);
    const packets = await packetsOf(input);
    const { position, size } = packets[4] ?? { position: 0, size: 0 };
    bytes.fill(0xff, position + 4, position + size);
    await writeFile(input, bytes);
    const kept = { clipSha256: 'da'.repeat(32), inversionsDir: path.join(dir, 'damaged inversions') };
    const { report } = await runTinyEdit({ ...jobOf('damaged', input), ...kept });
    const notice = /The clip is damaged: 1 of its frames cannot be decoded/;
    expect(report.frames).toBe(8);
    expect(report.notices.join()).toMatch(notice);
    const again = await runTinyEdit({ ...jobOf('damaged again', input), ...kept });
    expect(again.report.unetEvaluations.inversion, 'the kept inversion is used').toBe(0);
    expect(again.report.notices.join()).toMatch(notice);
  });

  it('does not begin to compute when its result could not be encoded', async () => {
    const ffmpeg = await findProgram('ffmpeg');
    const fake = path.join(dir, 'ffmpeg-without-prores');
    const refusal = 'case "$*" in *prores_ks*) echo "Unknown encoder prores_ks" >&2; exit 1;; esac';
    await writeFile(fake, `#!/bin/sh\n${refusal}\nexec '${ffmpeg}' "$@"\n`, { mode: 0o755 });
    const stages: string[] = [];
    vi.stubEnv('FFMPEG_PATH', fake);
    try {
      const job = jobOf('unencodable', await clip('64x48', '25', 2));
      const onProgress = ({ stage }: EditProgress) => void stages.push(stage);
      await expect(runEdit(job, { onProgress })).rejects.toMatchObject({ code: 'ffmpeg-failed' });
      expect(existsSync(job.outputPath)).toBe(false);
    } finally {
      vi.unstubAllEnvs();
    }
    expect(new Set(stages)).toEqual(new Set(['load']));
  });

  it('tells what of the prompt was not used', async () => {
    const job = jobOf('long', await clip('64x48', '25', 1), { prompt: 'a cat '.repeat(20).trim() });
    const { report } = await runTinyEdit(job);
    expect(report.notices.join('\n')).toMatch(/The prompt is longer than the model reads.*"cat a cat/);
  });

  it('has a report that clients can read, however long the prompt', async () => {
    const prompt = 'a cat and a dog '.repeat(200).slice(0, maxPromptCharacters);
    const job = jobOf('longest', await clip('64x48', '25', 1), { prompt });
    const { report } = await runTinyEdit(job);
    expect(parse(editReport, report, 'report')).toEqual(report);
    expect(report.notices.some((notice) => notice.includes('was not used: "'))).toBe(true);
  });
});

describe('an edit that is canceled', () => {
  it.each(['load', 'invert', 'encode'] as const)('during %s leaves no output', async (stage) => {
    const job = jobOf(`canceled ${stage}`, await clip('64x48', '10', 4));
    const controller = new AbortController();
    const onProgress = (state: EditProgress) => {
      if (state.stage === stage) controller.abort();
    };
    await expect(runSharing(job, { onProgress, signal: controller.signal })).rejects.toThrow(CanceledError);
    expect(existsSync(job.outputPath)).toBe(false);
    expect((await readdir(dir)).filter((name) => name.includes(`canceled ${stage}`))).toEqual(
      stage === 'load' ? [] : [path.basename(job.workDir)],
    );
  });
});

describe('an edit that fails', () => {
  it('names what is wrong and leaves no output', async () => {
    const ignore = { onProgress: () => undefined };
    const outside = jobOf('outside', await clip('64x48', '10', 4), { startSeconds: 9 });
    await expect(runEdit(outside, ignore)).rejects.toMatchObject({ code: 'invalid-request' });
    const missing = { ...jobOf('missing', await clip('64x48', '10', 4)), modelDir: path.join(dir, 'none') };
    await expect(runEdit(missing, ignore)).rejects.toMatchObject({ code: 'model-missing' });
    const absent = jobOf('absent', path.join(dir, 'no.mp4'));
    await expect(runEdit(absent, ignore)).rejects.toMatchObject({ code: 'clip-missing' });
    for (const job of [outside, missing, absent]) expect(existsSync(job.outputPath)).toBe(false);
  });
});

async function pictures(file: string): Promise<readonly Uint8Array[]> {
  const frames = await collect(decodeFrames(await probeClip(file)));
  return frames.map(({ rgb }) => rgb);
}
