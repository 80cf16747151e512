import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeTinyCheckpoint } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import { parseSchedulerConfig } from '../../diffusion/scheduler-config.ts';
import { fewStepModelOf } from '../../families/few-step.ts';
import { plainExecution, preferredExecution } from '../../onnx/execution.ts';
import { openCheckpoint } from '../../families/open-checkpoint.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import { plugAndPlay } from '../../techniques/plug-and-play.ts';
import { usualApproximations } from '../plan/approximations.ts';
import { inversionKey, type InversionKeyParts } from './inversion-key.ts';
import { identifyModel } from '../model/model-identity.ts';

const settings: ChosenSettings = {
  ...defaultSettings(),
  prompt: 'a robot',
  sourcePrompt: 'a wolf',
  steps: 10,
  inversionSteps: 10,
  guideBy: 'negative',
  guidance: 7,
  calibrates: false,
  inversion: 'fixed-point',
};
const side = { width: 64, height: 64 };
const plan: EditPlan = {
  startFrame: 0,
  endFrame: 4,
  frameCount: 4,
  frames: [0, 1, 2, 3],
  size: { scaled: side, padded: side, left: 0, top: 0 },
  latentSize: { width: 8, height: 8 },
  chunkSize: 16,
  maxLatents: 16,
  vaeChunkSize: 16,
  extendedLimit: 8,
  startStep: 0,
  keyframeCount: 1,
  keyframeSeed: 3,
  sourceMode: 'cached',
  frameGuidance: 'propagated',
  cachedTokens: 100,
  approximations: usualApproximations,
  technique: plugAndPlay,
};
const scheduler = parseSchedulerConfig({});
const parts: InversionKeyParts = {
  clipSha256: 'ab'.repeat(32),
  model: 'cd'.repeat(32),
  scheduler,
  settings,
  plan,
  execution: preferredExecution.cpu,
  clip: {},
};
const withSettings = (change: Partial<ChosenSettings>) => ({
  ...parts,
  settings: { ...settings, ...change },
});
const withPlan = (change: Partial<EditPlan>) => ({ ...parts, plan: { ...plan, ...change } });

test('a mask changes nothing, and of given keyframes only their frames count, where correspondences are kept', async () => {
  const edge = { follows: true, invert: false, grow: 0, feather: 0, asAlpha: false };
  const matte = { sha256: 'a'.repeat(64), channel: 'luma', frame: 0 } as const;
  const given = (frame: number, digit: string) => ({ keyframes: [{ frame, sha256: digit.repeat(64) }] });
  const keyOf = (change: Partial<ChosenSettings>) => inversionKey(withSettings(change));
  expect(await keyOf({ mask: { matte, ...edge } })).toBe(await inversionKey(parts));
  expect(await keyOf(given(2, 'a'))).toBe(await keyOf(given(2, 'b')));
  expect(await keyOf(given(2, 'a'))).not.toBe(await keyOf(given(3, 'a')));
  expect(await keyOf(given(2, 'a'))).not.toBe(await inversionKey(parts));
  const uncached = { ...plan, cachedTokens: null };
  expect(await inversionKey({ ...withSettings(given(2, 'a')), plan: uncached })).toBe(
    await inversionKey({ ...parts, plan: uncached }),
  );
});

test('what the inversion does not depend on leaves its key as it is', async () => {
  const key = await inversionKey(parts);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  const same = [
    ...[{ prompt: 'a fox' }, { negativePrompt: 'ugly' }, { guidance: 3 }, { guideBy: 'source' as const }].map(
      withSettings,
    ),
    ...[{ strength: 0.1 }, { codec: 'h264' as const }, { seed: 5 }].map(withSettings),
    ...[{ startStep: 3 }, { extendedLimit: 4 }].map(withPlan),
  ];
  for (const changed of same) expect(await inversionKey(changed)).toBe(key);
});

test('all that it depends on changes its key', async () => {
  const others = [
    parts,
    { ...parts, clipSha256: 'ef'.repeat(32) },
    { ...parts, model: 'ef'.repeat(32) },
    // The same file under another name.
    ...['look-lcm', 'look-tcd', 'look-turbo-4step'].map((name) => ({
      ...parts,
      scheduler: fewStepModelOf(scheduler, [name])?.scheduler ?? scheduler,
    })),
    { ...parts, execution: plainExecution('cpu') },
    { ...parts, execution: preferredExecution.webgpu },
    ...(['pq', 'hlg'] as const).map((toneMapping) => ({ ...parts, clip: { toneMapping } })),
    ...[
      { sourcePrompt: 'a cat' },
      { steps: 5 },
      { inversionSteps: 20 },
      { calibrates: true },
      { keyframeInterval: 4 },
      { pipeline: 'reference' as const },
      { pipeline: 'draft' as const },
      { inversion: 'noised' as const },
    ].map(withSettings),
    ...[{ keyframeSeed: 5 }, { startFrame: 1 }, { endFrame: 5 }, { chunkSize: 8 }, { vaeChunkSize: 8 }].map(withPlan),
    withPlan({ size: { ...plan.size, left: 2 } }),
    withPlan({ size: { ...plan.size, scaled: { width: 60, height: 64 } } }),
  ];
  const keys = await Promise.all(others.map(inversionKey));
  expect(new Set(keys).size).toBe(others.length);
});

test('cuts are not taken over by an edit that knows no scenes, nor from one', async () => {
  const uncached = { ...plan, cachedTokens: null };
  const keyOf = (change: Partial<ChosenSettings>) =>
    inversionKey({ ...parts, plan: uncached, settings: { ...settings, ...change } });
  const perFrame = await keyOf({ propagation: 'per-frame' });
  expect(perFrame).not.toBe(await keyOf({ propagation: 'paper' }));
  expect(perFrame).toBe(await keyOf({ propagation: 'reference' }));
  const official = { pipeline: 'reference' } as const;
  expect(await keyOf({ ...official, propagation: 'paper' })).toBe(
    await keyOf({ ...official, propagation: 'reference' }),
  );
});

test('which frames are keyframes matters only where something is cached', async () => {
  const uncached = { ...plan, cachedTokens: null };
  const keys = [uncached, { ...uncached, keyframeSeed: 5 }, { ...uncached, keyframeInterval: 4 }].map(
    ({ keyframeInterval = 8, ...changed }: EditPlan & { keyframeInterval?: number }) =>
      inversionKey({ ...parts, plan: changed, settings: { ...settings, keyframeInterval } }),
  );
  const [key, ...others] = await Promise.all(keys);
  expect(others).toEqual([key, key]);
  expect(key).not.toBe(await inversionKey(parts));
});

test('a preview is of its frames', async () => {
  const previewOf = (frames: readonly number[]) =>
    inversionKey({
      ...withPlan({ frames, frameCount: 2, cachedTokens: null }),
      settings: { ...settings, preview: true },
    });
  expect(await previewOf([0, 3])).toBe(await previewOf([0, 3]));
  expect(await previewOf([0, 3])).not.toBe(await previewOf([1, 3]));
});

test('a checkpoint is the same wherever it lies, and another when a weight or a setting differs', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-identity-'));
  try {
    const modelDir = await makeTinyCheckpoint(path.join(dir, 'one'));
    const copy = await makeTinyCheckpoint(path.join(dir, 'two'));
    const identify = async (folder: string) => identifyModel(await openCheckpoint(folder));
    const identity = await identify(modelDir);
    expect(await identify(copy)).toBe(identity);
    const weights = path.join(copy, 'unet', 'diffusion_pytorch_model.safetensors');
    const bytes = await readFile(weights);
    const firstWeight = 8 + Number(bytes.readBigUInt64LE(0));
    bytes.writeUInt8(bytes.readUInt8(firstWeight) ^ 1, firstWeight);
    await writeFile(weights, bytes);
    expect(await identify(copy)).not.toBe(identity);
    const scheduler = path.join(modelDir, 'scheduler', 'scheduler_config.json');
    const config = JSON.parse(await readFile(scheduler, 'utf8')) as object;
    await writeFile(scheduler, JSON.stringify({ ...config, beta_end: 0.0121 }));
    expect(await identify(modelDir)).not.toBe(identity);
  } finally {
    await rm(dir, { recursive: true });
  }
});
