// Edits with LoRA and embeddings: what they change, what is cached with them, and what becomes of files that do not fit.

import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyCheckpoint, tinyPrompts } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { randomTensor } from '../../../../test/run-graph.ts';
import { createSharedSession, releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { runTinyEdit, tinyJob } from '../../../../test/tiny-edits.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import { openSafetensors } from '../../weights/safetensors.ts';
import { writeTensors, type Shapes } from '../../weights/lora/testing/made-lora.ts';
import type { LoraFile } from '../../weights/lora/lora-file.ts';
import { predict } from '../../tokenflow/denoiser.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { estimateEdit } from '../estimate/estimate.ts';
import { openModel } from '../model/model.ts';
import type { EditJob } from './edit-job.ts';

let dir: string;
let modelDir: string;
let inputPath: string;
let unet: ReadonlyMap<string, readonly number[]>;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-adapted-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', 2), '-c:v', 'ffv1']);
  const { entries } = await openSafetensors(path.join(modelDir, 'unet', 'diffusion_pytorch_model.safetensors'));
  unet = new Map([...entries].map(([key, { dims }]) => [key, dims]));
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

/** A pair for every query of the UNet, in kohya's names. */
function shapesOfQueries(): Shapes {
  const queries = [...unet].filter(([key]) => key.endsWith('.to_q.weight'));
  expect(queries.length).toBeGreaterThan(0);
  return Object.fromEntries<readonly number[]>(
    queries.flatMap(([key, [rows = 0, columns = 0]]) => {
      const name = `lora_unet_${key.replace(/\.weight$/, '').replaceAll('.', '_')}`;
      return [
        [`${name}.lora_down.weight`, [2, columns]],
        [`${name}.lora_up.weight`, [rows, 2]],
      ] as const;
    }),
  );
}

const lookOf = (name: string, more: Shapes = {}) =>
  writeTensors(dir, `${name}.safetensors`, { ...shapesOfQueries(), ...more });

/** As a server makes it of settings that name these LoRA. */
function jobOf(name: string, loras: readonly LoraFile[], settings: Partial<EditSettings> = {}): EditJob {
  const small = { steps: 1, inversionSteps: 1, keyframeInterval: 2 };
  const chosen = loras.map((lora) => ({ name: lora.name, strength: lora.strength }));
  const job = tinyJob({ dir, modelDir, inputPath }, name, { ...small, ...settings, loras: chosen });
  return { ...job, loras };
}

const resultOf = (job: EditJob) => readFile(job.outputPath);

describe('an edit with a LoRA', () => {
  it('is another edit, and says in its report which LoRA it used', async () => {
    const look = { name: 'look', file: await lookOf('look'), strength: 0.8 };
    const [plain, used, unused] = [
      jobOf('plain', []),
      jobOf('used', [look]),
      jobOf('unused', [{ ...look, strength: 0 }]),
    ];
    expect((await runTinyEdit(plain)).report).not.toHaveProperty('loras');
    const { report } = await runTinyEdit(used);
    expect(report.loras).toEqual([{ name: 'look', strength: 0.8 }]);
    expect(report.notices).toEqual([]);
    expect((await resultOf(used)).equals(await resultOf(plain))).toBe(false);
    await runTinyEdit(unused);
    expect((await resultOf(unused)).equals(await resultOf(plain))).toBe(true);
  });

  it('takes the steps and the guidance of a LoRA of few steps, as its estimate says, unless it is switched off', async () => {
    const file = await lookOf('lcm-lora-sdv1-5', {
      'lora_unet_nothing.lora_down.weight': [2, 2],
      'lora_unet_nothing.lora_up.weight': [2, 2],
    });
    const lcm = { name: 'lcm', file, strength: 1 };
    const open = { steps: null, inversionSteps: null, guidance: null, technique: 'none' } as const;
    const job = jobOf('few', [lcm], open);
    const { report } = await runTinyEdit(job);
    expect(report.chosen).toEqual({ guideBy: 'negative', guidance: 1, steps: 4, inversionSteps: 4 });
    expect(report.unetEvaluations).toEqual({ inversion: 4 * 2, sampling: 4 * 2 });
    // What fits no weight is told as well.
    expect(report.notices).toEqual([
      expect.stringMatching(/^The LoRA "lcm": 2 of its \d+ keys fit nothing in this model and were not used: /),
    ]);
    expect((await estimateEdit(job)).unetEvaluations).toEqual(report.unetEvaluations);
    const off = await estimateEdit(jobOf('many', [{ ...lcm, strength: 0 }], open));
    expect(off.unetEvaluations.sampling).toBeGreaterThan(report.unetEvaluations.sampling);
  });

  it('computes in half precision with the weights of the checkpoint where they lie', async () => {
    const look = { name: 'half', file: await lookOf('half'), strength: 0.8 };
    const cacheDir = path.join(dir, 'cache-of-halves');
    const execution = { ...preferredExecution.cpu, float: 'float16' } as const;
    const predictions: Tensor[] = [];
    for (const loras of [[], [look]]) {
      const model = await openModel({ dir: modelDir, execution, cacheDir, loras, createSession: createSharedSession });
      const [conditioning] = await model.conditioning([tinyPrompts.target], { width: 64, height: 64 });
      if (conditioning === undefined) throw new TypeError('There is no conditioning.');
      const denoiser = model.createDenoiser({ height: 16, width: 16 });
      predictions.push(await predict(denoiser, randomTensor([1, 4, 16, 16]), 501, conditioning));
      await denoiser.release();
    }
    const [plain, changed] = predictions;
    expect(changed?.data).not.toBeAllClose(plain?.data ?? [], { atol: 1e-3 });
    const [merged = ''] = (await readdir(path.join(cacheDir, 'weights'))).filter((name) => name.startsWith('lora-'));
    const { entries } = await openSafetensors(path.join(cacheDir, 'weights', merged));
    // The checkpoint's halves stay halves, and only the queries are in the file.
    expect(new Set([...entries.values()].map(({ dtype }) => dtype))).toEqual(new Set(['F16']));
    expect([...entries.keys()].every((key) => key.endsWith('.to_q.weight'))).toBe(true);
  });

  it('takes no inversion over from an edit with another strength, and one from an edit with the same', async () => {
    const file = await lookOf('cached');
    const inversionsDir = path.join(dir, 'inversions');
    const job = (name: string, strength: number): EditJob => {
      const kept = { inversionsDir, clipSha256: 'ab'.repeat(32) };
      return { ...jobOf(name, [{ name: 'cached', file, strength }]), ...kept };
    };
    const inverted = async (name: string, strength: number) =>
      (await runTinyEdit(job(name, strength))).report.unetEvaluations.inversion;
    expect(await inverted('first', 0.5)).toBeGreaterThan(0);
    expect(await inverted('again', 0.5)).toBe(0);
    const estimated = async (strength: number) => (await estimateEdit(job('told', strength))).unetEvaluations.inversion;
    expect(await estimated(0.5)).toBe(0);
    expect(await estimated(0.75)).toBeGreaterThan(0);
  });
});

describe('a LoRA that cannot be used', () => {
  const look = async (name: string): Promise<LoraFile> => ({ name, file: await lookOf(name), strength: 1 });

  it('among several is named before anything is computed, and the next edit succeeds', async () => {
    const [good, cut] = [await look('good'), await look('cut')];
    await truncate(cut.file, 5000);
    const job = jobOf('broken', [good, cut]);
    await expect(runTinyEdit(job)).rejects.toMatchObject({
      code: 'adapter-damaged',
      message: expect.stringContaining('The LoRA "cut" cannot be used: ') as string,
    });
    expect(existsSync(job.outputPath)).toBe(false);
    await runTinyEdit(jobOf('after', [good]));
  });

  it.each([
    ['estimate', (job: EditJob) => estimateEdit(job)],
    ['edit', (job: EditJob) => runTinyEdit(job)],
  ])('is refused by an %s when it is for another family', async (_what, ask) => {
    const width = 2048;
    const file = await writeTensors(dir, 'xl.safetensors', {
      'lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight': [4, width],
      'lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_up.weight': [640, 4],
    });
    await expect(ask(jobOf('family', [{ name: 'xl', file, strength: 1 }]))).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message: expect.stringContaining('It is for Stable Diffusion XL.') as string,
    });
  });

  it('is missed by an estimate when its file has gone', async () => {
    const gone = await look('gone');
    await rm(gone.file);
    await expect(estimateEdit(jobOf('gone', [gone]))).rejects.toMatchObject({ code: 'adapter-missing' });
  });
});

describe('an edit with an embedding', () => {
  /** Of what the UNet reads. */
  const textWidth = () =>
    (unet.get([...unet.keys()].find((key) => key.endsWith('attn2.to_k.weight')) ?? '') ?? [])[1] ?? 0;

  it('uses it where its word is in the prompt', async () => {
    const file = await writeTensors(dir, 'mylook.safetensors', { emb_params: [2, textWidth()] });
    const job = (name: string, prompt: string, words: boolean): EditJob => ({
      ...jobOf(name, [], { prompt, guidance: 5 }),
      embeddings: words ? [{ word: 'mylook', file }] : [],
    });
    const [without, known] = [job('word-unknown', 'a cat mylook', false), job('word-known', 'a cat mylook', true)];
    await runTinyEdit(without);
    expect((await runTinyEdit(known)).report.notices).toEqual([]);
    expect((await resultOf(known)).equals(await resultOf(without))).toBe(false);
  });

  it('is the same edit where its word is in no prompt, and says so', async () => {
    const file = await writeTensors(dir, 'elsewhere.safetensors', { emb_params: [2, textWidth()] });
    const open = (embeddings: NonNullable<EditJob['embeddings']>) =>
      openModel({
        dir: modelDir,
        execution: preferredExecution.cpu,
        cacheDir: path.join(dir, 'cache'),
        embeddings,
        createSession: createSharedSession,
      });
    const [plain, elsewhere] = [await open([]), await open([{ word: 'elsewhere', file }])];
    const size = { width: 64, height: 64 };
    const [known] = await elsewhere.conditioning(['a cat'], size);
    const [wanted] = await plain.conditioning(['a cat'], size);
    expect(known?.tokens.data).toEqual(wanted?.tokens.data);
    expect(elsewhere.notices(['a cat'])).toEqual([
      'The embedding "elsewhere" is in none of the prompts and was not used.',
    ]);
  });
});
