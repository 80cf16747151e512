// A model family that exists only here makes a whole edit, through the public list, without a change to the program.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runEdit } from '../../companion-server/src/engine/run/edit.ts';
import { families } from '../../companion-server/src/families/list.ts';
import { openCheckpoint } from '../../companion-server/src/families/open-checkpoint.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import type { Conditioning } from '../../companion-server/src/nets/conditioning.ts';
import { tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import type { EditSettings } from '../../protocol/edit-settings.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../shared-sessions.ts';
import { sharingParts } from '../sharing-parts.ts';
import { framesOf, tinyJob } from '../tiny-edits.ts';
import { makeToyCheckpoint, toyFamily, type ToyOptions } from './toy-family.ts';

const frames = 5;

let dir: string;
let modelDir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-family-'));
  modelDir = await makeToyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', frames), '-c:v', 'ffv1']);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

const partsWith = (toy: ToyOptions) => ({ ...sharingParts, families: [...families, toyFamily(toy)] });

let edits = 0;
async function edit(settings: Partial<EditSettings> = {}, toy: ToyOptions = {}) {
  const job = tinyJob({ dir, modelDir, inputPath }, `edit-${edits++}`, { keyframeInterval: 2, ...settings });
  const report = await runEdit(job, { onProgress: () => undefined }, partsWith(toy));
  return { report, pictures: await framesOf(job) };
}

const nothing = ({ dims }: Tensor): Tensor => tensor(dims);
/** Of the second encoder's part of every token. */
function withoutSecondEncoder({ tokens, ...others }: Conditioning): Conditioning {
  const count = tokens.dims[2] ?? 0;
  return { ...others, tokens: { ...tokens, data: tokens.data.map((x, i) => (i % count < 5 ? x : 0)) } };
}

describe('a model family that the program does not know', () => {
  it('makes a whole edit that follows the prompt', async () => {
    const { report, pictures } = await edit({ prompt: 'a red fox', technique: 'none' });
    expect(pictures).toHaveLength(frames);
    expect(pictures[0]).toHaveLength(3 * 64 * 48);
    expect(report.unetEvaluations.inversion).toBeGreaterThan(0);
    expect(report.unetEvaluations.sampling).toBeGreaterThan(0);
    expect((await edit({ prompt: 'a red fox', technique: 'none' })).pictures).toEqual(pictures);
    expect((await edit({ prompt: 'a blue boat', technique: 'none' })).pictures).not.toEqual(pictures);
  });

  it.each<[string, (told: Conditioning) => Conditioning]>([
    ['the pooled embedding', (told) => ({ ...told, ...(told.pooled && { pooled: nothing(told.pooled) }) })],
    ['the numbers about the picture', (told) => ({ ...told, ...(told.timeIds && { timeIds: nothing(told.timeIds) }) })],
    ["the second encoder's tokens", withoutSecondEncoder],
  ])('is told %s', async (_name, change) => {
    const told = await edit({ technique: 'none' });
    const untold = await edit({ technique: 'none' }, { change });
    expect(untold.pictures).not.toEqual(told.pictures);
  });

  it('says where Plug-and-Play reaches into its network', async () => {
    const settings = { technique: 'pnp', strength: 0 } as const;
    const injected = await edit(settings);
    const nowhere = await edit(settings, { injectionPoints: { features: 'nowhere', attention: /^nowhere/ } });
    const free = await edit({ technique: 'none' });
    expect(difference(injected.pictures, free.pictures)).toBeGreaterThan(0.5);
    expect(difference(nowhere.pictures, free.pictures)).toBeLessThan(0.01);
  });

  it('runs in the reference pipeline, where the source is computed at every step', async () => {
    const { report, pictures } = await edit({ pipeline: 'reference', propagation: 'reference' });
    expect(pictures).toHaveLength(frames);
    expect(report.unetEvaluations.sampling).toBeGreaterThan(0);
  });

  it('has defaults of its own', async () => {
    const { report } = await edit({ steps: null, inversionSteps: null, guidance: null });
    expect(report.chosen).toMatchObject({ steps: 3, guidance: 2 });
  });

  it('is recognised by the shapes of its weights beside those that the program knows', async () => {
    const among = [...families, toyFamily()];
    expect((await openCheckpoint(modelDir, { families: among })).family.title).toBe('Painter');
    const known = await makeTinyCheckpoint(path.join(dir, 'known'));
    expect((await openCheckpoint(known, { families: [toyFamily(), ...families] })).family).toBe(families[0]);
  });

  it('is refused by name where it is not in the list', async () => {
    const job = tinyJob({ dir, modelDir, inputPath }, 'refused', {});
    await expect(runEdit(job, { onProgress: () => undefined }, sharingParts)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining('PainterPipeline is not a pipeline that is known here') as string,
    });
  });
});

/** Mean absolute difference of two clips' pixels. */
function difference(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  const each = a.map(
    (frame, i) => frame.reduce((sum, x, j) => sum + Math.abs(x - (b[i]?.[j] ?? NaN)), 0) / frame.length,
  );
  return each.reduce((sum, x) => sum + x, 0) / each.length;
}
