// The arithmetic of the bench that measures graphics cards.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usageOf } from '../bench/gpu/card.ts';
import { parseDevices } from '../bench/gpu/main.ts';
import { smallSize, writeRandomCheckpoint } from './random-checkpoint.ts';
import { toHalf, writeRandomTensors } from './random-tensors.ts';
import { createTokenizer } from '../companion-server/src/diffusion/tokenizer.ts';
import { openCheckpoint } from '../companion-server/src/families/open-checkpoint.ts';
import { openSafetensors, readTensor } from '../companion-server/src/weights/safetensors.ts';
import { partOf } from '../companion-server/src/weights/checkpoint.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-gpu-bench-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe('what nvidia-smi says while something runs', () => {
  it('becomes the peak of the memory and the share of idle samples', () => {
    expect(usageOf('97, 1024\n0, 3072\nnot a line\n 40, 2048\n0, 512')).toEqual({
      peakBytes: 3072 * 2 ** 20,
      idleShare: 0.5,
      samples: 4,
    });
  });

  it('is nothing where it said nothing', () => {
    expect(usageOf('N/A, N/A\n')).toBeNull();
  });
});

describe('the devices to measure', () => {
  it('are those named, all where none is, and a complaint for a name that is none', () => {
    expect(parseDevices('webgpu,cpu')).toEqual(['webgpu', 'cpu']);
    expect(parseDevices(undefined)).toBeNull();
    expect(parseDevices('webgpu,vulkan')).toContain('There is no device vulkan');
  });
});

describe('random weights', () => {
  it.each([
    [0, 0],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [0.00006103515625, 0x0400],
    [0.00006, 0],
    [1.0009, 0x3c01],
    [2047.9, 0x6800],
  ])('hold %s in half precision as %s', (value, bits) => {
    expect(toHalf(value)).toBe(bits);
  });

  it('keep the variance of what they are multiplied with, whatever the precision', async () => {
    const shapes = new Map([
      ['layer.weight', [300, 400]],
      ['layer.bias', [300]],
      ['norm1.weight', [256]],
    ]);
    for (const float of ['F16', 'F32'] as const) {
      const file = path.join(dir, `weights-${float}.safetensors`);
      await writeRandomTensors(file, shapes, { float });
      const opened = await openSafetensors(file);
      const weight = await readTensor(opened, 'layer.weight');
      expect(weight.dims).toEqual([300, 400]);
      const energy = weight.data.reduce((sum, value) => sum + value * value, 0) / 300;
      expect(energy).toBeGreaterThan(0.95);
      expect(energy).toBeLessThan(1.05);
      const norm = await readTensor(opened, 'norm1.weight');
      expect(norm.data.reduce((sum, value) => sum + value, 0) / 256).toBeCloseTo(1, 1);
    }
  });

  it('make a checkpoint whose parts are found as those of any other', async () => {
    const folder = await writeRandomCheckpoint(path.join(dir, 'checkpoint'), smallSize, 'F16');
    const checkpoint = await openCheckpoint(folder, { variant: 'fp16' });
    const tensorsOf = (part: string) => partOf(checkpoint, part).weights.tensors;
    expect(tensorsOf('unet').get('conv_in.weight')?.dims).toEqual([8, 4, 3, 3]);
    expect(tensorsOf('vae').has('decoder.mid_block.attentions.0.to_out.0.weight')).toBe(true);
    expect(tensorsOf('text_encoder').get('text_model.final_layer_norm.weight')?.dims).toEqual([24]);
    expect(createTokenizer(checkpoint.tokenizers.get('tokenizer') ?? {}, 77).encode('a cat').ids).toHaveLength(77);
  });
});
