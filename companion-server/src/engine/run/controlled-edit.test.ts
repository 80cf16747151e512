// Edits with ControlNets: what they change and what not, which frames they guide, what a cut edit does, and what becomes of
// files that do not fit.

import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { makeTinyControlNet } from '../../../../test/fixtures/tiny-controlnet.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runTinyEdit, runUntil, tinyJob } from '../../../../test/tiny-edits.ts';
import type { ControlChoice } from '../../../../protocol/control.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { estimateEdit } from '../estimate/estimate.ts';
import type { ControlFiles, EditJob } from './edit-job.ts';

let dir: string;
let modelDir: string;
let inputPath: string;
let net: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-controlled-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', 4), '-c:v', 'ffv1']);
  net = await makeTinyControlNet(path.join(dir, 'net'), modelDir);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

const canny: ControlChoice = { kind: 'canny', net: 'net', scale: 1, start: 0, end: 1, guess: false };

interface Controlled {
  readonly choice: ControlChoice;
  readonly files?: Partial<ControlFiles>;
}

function jobOf(name: string, controls: readonly Controlled[], settings: Partial<EditSettings> = {}): EditJob {
  const small = { steps: 2, inversionSteps: 2, keyframeInterval: 2, technique: 'none' } as const;
  const job = tinyJob({ dir, modelDir, inputPath }, name, {
    ...small,
    ...settings,
    ...(controls.length > 0 && { controls: controls.map(({ choice }) => choice) }),
  });
  if (controls.length === 0) return job;
  return { ...job, controls: controls.map(({ files }) => ({ name: 'net', file: net, videoPath: null, ...files })) };
}

const known = new Map<string, Promise<readonly Uint8Array[]>>();

/** Of an edit that several tests compare with, which is made once. */
function framesWith(name: 'plain' | 'guided'): Promise<readonly Uint8Array[]> {
  const frames = known.get(name) ?? edited(jobOf(`known-${name}`, name === 'plain' ? [] : [{ choice: canny }]));
  known.set(name, frames);
  return frames;
}

async function edited(job: EditJob): Promise<readonly Uint8Array[]> {
  await runTinyEdit(job);
  return framesOf(job);
}

describe('an edit with a ControlNet', () => {
  it('is another edit, and says in its report what guided it', async () => {
    const job = jobOf('guided', [{ choice: canny }]);
    const { report } = await runTinyEdit(job);
    expect(report.controls).toEqual([canny]);
    expect(report.notices).toEqual([]);
    const guided = framesOf(job);
    known.set('guided', guided);
    expect(await guided).not.toEqual(await framesWith('plain'));
  });

  it('is the same edit to the bit where the ControlNet adds nothing: at a scale of 0, before its training', async () => {
    const plain = await framesWith('plain');
    expect(await edited(jobOf('scale-0', [{ choice: { ...canny, scale: 0 } }]))).toEqual(plain);
    const untrained = await makeTinyControlNet(path.join(dir, 'untrained'), modelDir, { isUntrained: true });
    expect(await edited(jobOf('untrained-net', [{ choice: canny, files: { file: untrained } }]))).toEqual(plain);
  });

  it('depends on scale, kind of picture, guess mode, the steps in which it takes part, and the frames that it guides', async () => {
    const variants: readonly (readonly [ControlChoice, Partial<EditSettings>])[] = [
      [{ ...canny, scale: 0.5 }, {}],
      [{ ...canny, kind: 'luma' }, {}],
      [{ ...canny, guess: true }, {}],
      [{ ...canny, start: 0.5 }, {}],
      [canny, { controlledFrames: 'all' }],
    ];
    const results = [await framesWith('guided')];
    for (const [i, [choice, settings]] of variants.entries()) {
      results.push(await edited(jobOf(`variant-${i}`, [{ choice }], settings)));
    }
    const texts = results.map((frames) => Buffer.concat(frames).toString('base64'));
    expect(new Set(texts).size).toBe(1 + variants.length);
  });

  it('sums what several add', async () => {
    const half = { ...canny, scale: 0.5 };
    const twice = await edited(jobOf('two', [{ choice: half }, { choice: half }]));
    const once = await framesWith('guided');
    const most = Math.max(
      ...twice.flatMap((frame, i) => [...frame].map((value, at) => Math.abs(value - (once[i]?.[at] ?? 0)))),
    );
    expect(most).toBeLessThanOrEqual(1);
  });

  it('goes on after it was killed, and ends with the same frames', async () => {
    const job = jobOf('killed', [{ choice: canny }]);
    await runUntil(job, 'edit', 1);
    expect(await edited(job)).toEqual(await framesWith('guided'));
  });

  it('begins anew when it goes on with another scale', async () => {
    const job = jobOf('cut', [{ choice: canny }]);
    await runUntil(job, 'edit', 1);
    const other = { ...job, settings: { ...job.settings, controls: [{ ...canny, scale: 0.25 }] } };
    expect(await edited(other)).toEqual(await edited(jobOf('cut-whole', [{ choice: { ...canny, scale: 0.25 } }])));
  });

  it('takes the pictures of a video of its own, and refuses one that is too short', async () => {
    const own: ControlChoice = { ...canny, kind: 'own', clip: 'c1' };
    const video = await makeClip(path.join(dir, 'own.mkv'), [
      ...testPicture('64x48', '10', 4),
      '-vf',
      'negate',
      '-c:v',
      'ffv1',
    ]);
    const shown = await edited(jobOf('own', [{ choice: own, files: { videoPath: video } }]));
    expect(shown).not.toEqual(await framesWith('guided'));
    const short = await makeClip(path.join(dir, 'short.mkv'), [...testPicture('64x48', '10', 2), '-c:v', 'ffv1']);
    await expect(runTinyEdit(jobOf('short', [{ choice: own, files: { videoPath: short } }]))).rejects.toMatchObject({
      code: 'invalid-request',
      message: 'The control video of "net" has 2 frames; the clip has 4, of which the first 4 are needed.',
    });
  });
});

describe('a ControlNet that cannot be used', () => {
  it.each([
    ['estimate', (job: EditJob) => estimateEdit(job)],
    ['edit', (job: EditJob) => runTinyEdit(job)],
  ])('is refused by an %s when it is for another family', async (_what, ask) => {
    const other = path.join(dir, 'other-family');
    await cp(net, other, { recursive: true });
    const config = JSON.parse(await readFile(path.join(other, 'config.json'), 'utf8')) as object;
    await writeFile(path.join(other, 'config.json'), JSON.stringify({ ...config, cross_attention_dim: 1024 }));
    const job = jobOf('family', [{ choice: canny, files: { file: other } }]);
    await expect(ask(job)).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message: expect.stringMatching(
        /The ControlNet "net" cannot be used: .*It is for Stable Diffusion 2\.x\./,
      ) as string,
    });
    expect(existsSync(job.outputPath)).toBe(false);
  });

  it('is named when its file is cut short or gone', async () => {
    const cut = path.join(dir, 'cut-net');
    await cp(net, cut, { recursive: true });
    await truncate(path.join(cut, 'diffusion_pytorch_model.safetensors'), 5000);
    await expect(estimateEdit(jobOf('cut-file', [{ choice: canny, files: { file: cut } }]))).rejects.toMatchObject({
      code: 'adapter-damaged',
      message: expect.stringContaining('The ControlNet "net" cannot be used: ') as string,
    });
    const gone = path.join(dir, 'gone.safetensors');
    await expect(estimateEdit(jobOf('gone', [{ choice: canny, files: { file: gone } }]))).rejects.toMatchObject({
      code: 'adapter-missing',
    });
  });

  it('is named for what it is: a checkpoint, a pickle', async () => {
    const unet = path.join(modelDir, 'unet', 'diffusion_pytorch_model.safetensors');
    await expect(estimateEdit(jobOf('unet', [{ choice: canny, files: { file: unet } }]))).rejects.toMatchObject({
      code: 'adapter-unsupported',
    });
    const pickle = path.join(dir, 'control.pth');
    await writeFile(pickle, 'x');
    await expect(estimateEdit(jobOf('pickle', [{ choice: canny, files: { file: pickle } }]))).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message: expect.stringContaining('control.pth is a pickle') as string,
    });
  });
});
