// Edits whose keyframes somebody has edited by hand, from file to file.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { pictureClipExtension, writePictureClip } from '../../media/encode/picture-clip.ts';
import { decodePlanes } from '../../media/decode/frames.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import type { EditJob } from './edit-job.ts';

const frameCount = 5;
const steps = 2;

let dir: string;
let modelDir: string;
let input: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-given-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  const format = ['-vf', 'format=gbrp', '-c:v', 'ffv1'];
  input = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x64', '10', frameCount), ...format]);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

/** A frame of the clip as somebody gives it back, after `filter`. */
async function picture(frame: number, filter = 'null'): Promise<{ readonly frame: number; readonly path: string }> {
  const name = path.join(dir, `${frame}-${filter.replaceAll(/\W/g, '-')}`);
  const chosen = ['-i', input, '-vf', `select=eq(n\\,${frame}),${filter}`, '-frames:v', '1'];
  const png = await makeClip(`${name}.png`, chosen);
  await writePictureClip(png, name + pictureClipExtension);
  return { frame, path: name + pictureClipExtension };
}

function jobOf(name: string, keyframePaths: EditJob['keyframePaths'], settings: Partial<EditSettings> = {}): EditJob {
  const keyframes = (keyframePaths ?? []).map(({ frame }) => ({ frame, sha256: 'a'.repeat(64) }));
  const given = keyframes.length === 0 ? {} : { keyframes };
  const lossless = { codec: 'ffv1', sound: 'none' } as const;
  const job = tinyJob({ dir, modelDir, inputPath: input }, name, {
    ...{ keyframeInterval: 2, steps, ...lossless },
    ...given,
    ...settings,
  });
  return { ...job, outputPath: path.join(dir, `${name}.mkv`), keyframePaths: keyframePaths ?? [] };
}

/** Per frame, what is in a slot of a file of latents, which has as many values in a frame as `edit.latents` in its two slots. */
async function latentsIn(job: EditJob, name: string, slot: number): Promise<readonly Float32Array[]> {
  const read = async (file: string) => {
    const bytes = await readFile(path.join(job.workDir, file));
    return new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
  };
  const size = (await read('edit.latents')).length / (2 * frameCount);
  const all = await read(name);
  return Array.from({ length: frameCount }, (_, i) => {
    const start = (slot * frameCount + i) * size;
    return all.subarray(start, start + size);
  });
}

/** With given keyframes, the edit takes the last step only. The two slots take turns. */
const ofEdit = (job: EditJob) => {
  const taken = (job.keyframePaths ?? []).length > 0 ? 1 : steps;
  return latentsIn(job, 'edit.latents', taken % 2);
};
const ofSource = (job: EditJob) => latentsIn(job, 'source.latents', 0);
const distance = (a: Float32Array | undefined, b: Float32Array | undefined) =>
  Math.max(...(a ?? []).map((value, i) => Math.abs(value - (b?.[i] ?? NaN))));

/** The samples of each frame, plane by plane. */
async function planesOf(file: string): Promise<readonly (readonly ArrayLike<number>[])[]> {
  const frames: (readonly ArrayLike<number>[])[] = [];
  for await (const { planes } of decodePlanes(await probeClip(file))) frames.push(planes);
  return frames;
}

describe('keyframes that are given', () => {
  it("as the clip's own frames give the clip", async () => {
    const job = jobOf('own', await Promise.all([0, 1, 2, 3, 4].map((frame) => picture(frame))));
    await runTinyEdit(job);
    const [edited, source] = [await ofEdit(job), await ofSource(job)];
    for (const [i, latents] of edited.entries()) expect(distance(latents, source[i])).toBeLessThan(1e-4);
    expect(await planesOf(job.outputPath)).toEqual(await planesOf(input));
  });

  it('that are the clip itself but for one corner change nothing far from it, and come out as they are', async () => {
    const corner = 'drawbox=0:0:16:16:red:fill';
    const job = jobOf('corner', [await picture(1, corner)]);
    await runTinyEdit({ ...job, settings: { ...job.settings, prompt: 'a wolf', sourcePrompt: 'a wolf' } });
    const [result, source] = [await planesOf(job.outputPath), await planesOf(input)];
    const red = (planes: readonly ArrayLike<number>[] | undefined, x: number, y: number) => planes?.[2]?.[64 * y + x];
    expect(red(result[1], 8, 8)).toBe(255);
    expect(red(result[1], 60, 60)).toBe(red(source[1], 60, 60));
  });

  it('stay as they are, and the other frames follow them', async () => {
    const [plain, negated] = [jobOf('plain', []), jobOf('negated', [await picture(2, 'negate')])];
    await runTinyEdit(plain);
    const { report } = await runTinyEdit(negated);
    const whole = jobOf('whole', await Promise.all([0, 1, 2, 3, 4].map((frame) => picture(frame, 'negate'))));
    await runTinyEdit(whole);
    const [without, one, all] = [await ofEdit(plain), await ofEdit(negated), await ofEdit(whole)];
    expect(distance(one[2], all[2])).toBeLessThan(1e-4);
    for (const frame of [0, 1, 3, 4]) {
      const norm = (from: readonly Float32Array[]) =>
        Math.hypot(...(from[frame] ?? []).map((value, i) => value - (all[frame]?.[i] ?? NaN)));
      expect(norm(one)).toBeLessThan(norm(without));
    }
    expect(report.notices.join()).not.toContain('keyframe');
  });

  it('go on after a kill as they began', async () => {
    const given = [await picture(1, 'negate')];
    const [whole, killed] = [jobOf('unbroken', given), jobOf('broken', given)];
    await runTinyEdit(whole);
    await runUntil(killed, 'edit', 1);
    await runTinyEdit(killed);
    expect(await ofEdit(killed)).toEqual(await ofEdit(whole));
  });

  it('of another size are scaled, and the report says so', async () => {
    const { report } = await runTinyEdit(jobOf('large', [await picture(1, 'scale=128:128')]));
    expect(report.notices).toContain('The keyframe of frame 1 is 128 x 128; the clip is 64 x 64. It was scaled.');
  });

  it.each([
    ['scale=128:64,setsar=1', 1, {}, 'The keyframe of frame 1 has another shape: it is 128 x 64; the clip is 64 x 64.'],
    ['format=rgba,colorchannelmixer=aa=0.5', 1, {}, 'The keyframe of frame 1 has transparent pixels.'],
    ['null', 4, { endSeconds: 0.3 }, 'A keyframe is given for frame 4; the edit has the frames 0 to 2.'],
  ])('are refused: %s, frame %i', async (filter, frame, settings, message) => {
    const job = jobOf(`refused-${frame}-${filter.length}`, [await picture(frame, filter)], settings);
    await expect(runTinyEdit(job)).rejects.toThrow(message);
  });

  it('of a frame that the clip has not are refused', async () => {
    const job = jobOf('beyond', [{ ...(await picture(1)), frame: 9 }]);
    await expect(runTinyEdit(job)).rejects.toThrow('A keyframe is given for frame 9; the clip has 5 frames, 0 to 4.');
  });
});
