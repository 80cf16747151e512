import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultSettings, referencePipeline, type EditSettings } from '../../../../protocol/edit-settings.ts';
import { chooseSettings, readEditDefaults } from './edit-defaults.ts';

const defaults = { guidance: 6, steps: 16 };
const choose = (change: Partial<EditSettings>) =>
  chooseSettings({ ...defaultSettings(), prompt: 'a wolf', ...change }, defaults);

describe('what the user left open', () => {
  test('is what suits the model, and the inversion is calibrated', () => {
    expect(choose({})).toMatchObject({ steps: 16, inversionSteps: 32, guidance: 6, calibrates: true });
    expect(choose({ steps: 10 })).toMatchObject({ steps: 10, inversionSteps: 20, calibrates: true });
  });

  test('of the reference pipeline is the official number of steps, and nothing is calibrated', () => {
    const official = { steps: 50, inversionSteps: 500, calibrates: false };
    expect(choose({ pipeline: 'reference' })).toMatchObject({ ...official, guidance: 6 });
    expect(choose(referencePipeline)).toMatchObject({ ...official, guidance: 7.5 });
    expect(choose({ pipeline: 'reference', steps: 25 })).toMatchObject({ steps: 25, inversionSteps: 250 });
    expect(choose({ pipeline: 'reference', steps: 40 })).toMatchObject({ inversionSteps: 400 });
    expect(choose({ pipeline: 'reference', steps: 300 })).toMatchObject({ inversionSteps: 900 });
  });

  test('with given keyframes and a prompt that only repeats the source prompt, there is no guidance unless it is asked for', () => {
    const keyframes = [{ frame: 0, sha256: 'a'.repeat(64) }];
    const same = { prompt: 'a wolf', sourcePrompt: 'a wolf ' };
    expect(choose({ ...same, keyframes }).guidance).toBe(1);
    expect(choose({ ...same, keyframes, guidance: 4 }).guidance).toBe(4);
    expect([choose(same).guidance, choose({ ...same, keyframes, prompt: 'a fox' }).guidance]).toEqual([6, 6]);
  });

  test('of guidance up to 1 is none, as few-step models want it', () => {
    for (const guidance of [0, 0.5, 1]) expect(choose({ guidance }).guidance).toBe(1);
    expect(choose({ guidance: 1.5 }).guidance).toBe(1.5);
    const unguided = chooseSettings({ ...defaultSettings(), prompt: 'a wolf' }, { guidance: 0, steps: 4 });
    expect(unguided).toMatchObject({ guidance: 1, steps: 4, inversionSteps: 8 });
  });

  test('of what guides is what suits the model, with the scale that suits it', () => {
    const withSource = { sourcePrompt: 'a dog' };
    const bySource = (change: Partial<EditSettings>, sourceGuidance?: number) =>
      chooseSettings(
        { ...defaultSettings(), prompt: 'a wolf', ...withSource, ...change },
        { ...defaults, guideBy: 'source', ...(sourceGuidance === undefined ? {} : { sourceGuidance }) },
      );
    expect(choose(withSource)).toMatchObject({ guideBy: 'negative', guidance: 6 });
    expect(choose({ ...withSource, guideBy: 'source' })).toMatchObject({ guideBy: 'source', guidance: 3 });
    expect(choose({ guideBy: 'source', guidance: 5 })).toMatchObject({ guideBy: 'source', guidance: 5 });
    expect(bySource({})).toMatchObject({ guideBy: 'source', guidance: 3 });
    expect(bySource({}, 2)).toMatchObject({ guideBy: 'source', guidance: 2 });
    expect(bySource({ guideBy: 'negative' }, 2)).toMatchObject({ guideBy: 'negative', guidance: 6 });
  });

  test('of what guides is the negative prompt where there is one, or no source prompt, and as the official code does', () => {
    const usual = { ...defaults, guideBy: 'source' } as const;
    const byModel = (change: Partial<EditSettings>) =>
      chooseSettings({ ...defaultSettings(), prompt: 'a wolf', sourcePrompt: 'a dog', ...change }, usual);
    for (const change of [{ negativePrompt: 'fog' }, { sourcePrompt: ' ' }, { pipeline: 'reference' }] as const) {
      expect(byModel(change)).toMatchObject({ guideBy: 'negative', guidance: 6 });
    }
    expect(byModel({ negativePrompt: 'fog', guideBy: 'source' })).toMatchObject({ guideBy: 'source', guidance: 3 });
  });

  test('of a model without guidance is none in any direction', () => {
    const settings = { ...defaultSettings(), prompt: 'a wolf', sourcePrompt: 'a dog', guideBy: 'source' } as const;
    expect(chooseSettings(settings, { guidance: 1, steps: 4 })).toMatchObject({ guideBy: 'source', guidance: 1 });
  });

  test('of the draft pipeline is a few steps with one forward each, and nothing is calibrated', () => {
    const noised = { inversion: 'noised', calibrates: false };
    expect(choose({ pipeline: 'draft' })).toMatchObject({ steps: 5, inversionSteps: 5, guidance: 6, ...noised });
    expect(choose({ pipeline: 'draft', steps: 8 })).toMatchObject({ steps: 8, inversionSteps: 8, ...noised });
    expect(choose({ pipeline: 'draft', preview: true })).toMatchObject({ steps: 5, inversionSteps: 5, ...noised });
  });

  test('of a model of few steps is its own number of them, which no pipeline multiplies', () => {
    const chooseFew = (change: Partial<EditSettings>) =>
      chooseSettings(
        { ...defaultSettings(), prompt: 'a wolf', ...change },
        { guidance: 1, steps: 4, fewSteps: 'checkpoint' },
      );
    const noised = { steps: 4, inversionSteps: 4, guidance: 1, inversion: 'noised', calibrates: false };
    for (const pipeline of ['fast', 'draft'] as const) expect(chooseFew({ pipeline })).toMatchObject(noised);
    expect(chooseFew({ preview: true })).toMatchObject(noised);
    expect(chooseFew({ pipeline: 'reference' })).toMatchObject({ steps: 4, inversionSteps: 40, inversion: 'ddim' });
  });

  test('has the forwards of the inversion that a measurement wants', () => {
    const measured = (inversion: 'noised' | 'fixed-point', change: Partial<EditSettings> = {}) =>
      chooseSettings(
        { ...defaultSettings(), prompt: 'a wolf', ...change },
        { guidance: 1, steps: 4, fewSteps: 'lora' },
        inversion,
      );
    expect(measured('noised')).toMatchObject({ inversion: 'noised', inversionSteps: 4, calibrates: false });
    expect(measured('fixed-point')).toMatchObject({ inversion: 'fixed-point', inversionSteps: 8, calibrates: true });
    expect(measured('fixed-point', { inversionSteps: 4 })).toMatchObject({ inversionSteps: 4, calibrates: false });
  });

  test('stays as it was chosen', () => {
    const chosen = { steps: 4, inversionSteps: 12, guidance: 2 };
    expect(choose(chosen)).toMatchObject({ ...chosen, calibrates: false });
    expect(choose({ ...chosen, pipeline: 'reference' })).toMatchObject(chosen);
  });

  test.each([
    [{}, 8],
    [{ steps: 5 }, 3],
    [{ steps: 1 }, 1],
    [{ steps: 6, inversionSteps: 24 }, 3],
    [{ pipeline: 'reference' }, 25],
  ] as const)('of a preview %j is halved, with one forward per step and no calibration', (change, steps) => {
    const preview = choose({ ...change, preview: true });
    expect(preview).toMatchObject({ steps, inversionSteps: steps, calibrates: false });
  });

  test('fits the steps that were chosen, or is refused', () => {
    const refusal = 'The inversion steps must be a multiple of the 16 sampling steps, got 40.';
    expect(() => choose({ inversionSteps: 40 })).toThrow(refusal);
    expect(() => choose({ inversionSteps: 40, preview: true })).toThrow(refusal);
    expect(() => choose({ inversionSteps: 10, pipeline: 'draft' })).toThrow(
      'The inversion steps must be the 5 sampling steps in the draft pipeline, got 10.',
    );
  });
});

describe("a model's own defaults", () => {
  const usual = { guidance: 7.5, steps: 20 };
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-defaults-'));
  });
  afterAll(() => rm(dir, { recursive: true }));
  const read = async (json: string) => {
    await writeFile(path.join(dir, 'edit-defaults.json'), json);
    return readEditDefaults(dir, usual);
  };

  test('are those of its family where the model says nothing', async () => {
    expect(await readEditDefaults(path.join(dir, 'without'), usual)).toEqual({ guidance: 7.5, steps: 20 });
    expect(await read('{"steps": 12}')).toEqual({ guidance: 7.5, steps: 12 });
    const guided = { guidance: 7.5, steps: 20, guideBy: 'source', sourceGuidance: 2 };
    expect(await read('{"guideBy": "source", "sourceGuidance": 2}')).toEqual(guided);
    expect(await read('{"steps": null, "guidance": 3, "author": "x"}')).toEqual({ guidance: 3, steps: 20 });
  });

  test('give way to those of a LoRA of few steps', async () => {
    await read('{"steps": 12, "guidance": 7.5}');
    const fewSteps = { guidance: 1, steps: 4, fewSteps: 'lora' } as const;
    expect(await readEditDefaults(dir, fewSteps)).toEqual(fewSteps);
    expect(await readEditDefaults(dir, { ...fewSteps, fewSteps: 'checkpoint' })).toMatchObject({ steps: 12 });
  });

  test.each([
    ['{"steps": 2.5}', 'edit-defaults.json: defaults.steps must be a whole number between 1 and 1000, got 2.5.'],
    ['{"guideBy": "x"}', "edit-defaults.json: defaults.guideBy must be one of negative, source, both, got 'x'."],
    ['{"guidance": 31}', 'edit-defaults.json: defaults.guidance must be between 0 and 30, got 31.'],
    ['{"guidance": "7"}', "edit-defaults.json: defaults.guidance must be between 0 and 30, got '7'."],
  ])('%s is refused by name', async (json, message) => {
    await expect(read(json)).rejects.toMatchObject({ code: 'model-damaged' });
    await expect(read(json)).rejects.toThrow(message);
  });
});
