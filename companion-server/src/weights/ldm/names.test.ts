// Keys of the golden networks, as the original code names them, find their way back to diffusers' names.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import {
  invertOpenClip,
  invertUNet,
  invertVae,
  readRaw,
  type RawTensors,
} from '../../../../test/fixtures/single-file.ts';
import type { StoredTensors } from '../../tensor/stored-tensor.ts';
import { under } from './prefix.ts';
import { clipTextNames, openClipTextNames } from './text-names.ts';
import { layersPerLevel, ldmUNetNames } from './unet-names.ts';
import { ldmVaeNames } from './vae-names.ts';

const weights = (folder: string, name = 'diffusion_pytorch_model'): Promise<RawTensors> =>
  readRaw(path.join(goldenDir, folder, `${name}.safetensors`));

async function config<T>(folder: string): Promise<T> {
  return JSON.parse(await readFile(path.join(goldenDir, folder, 'config.json'), 'utf8')) as T;
}

/** Raw tensors as if they lay in one file, one behind the other. */
function inOneFile(tensors: RawTensors): StoredTensors {
  let byteOffset = 0;
  return new Map(
    [...tensors].map(([key, { shape, bytes }]) => {
      const stored = { dtype: 'float16', dims: shape, file: 'one', byteOffset, byteLength: bytes.length } as const;
      byteOffset += bytes.length;
      return [key, stored];
    }),
  );
}

const dimsOf = (tensors: RawTensors) => [...tensors].map(([key, { shape }]) => [key, shape]).sort();

describe.each(['sd1', 'sd2'])('%s', (family) => {
  it('has every weight of its UNet under its name', async () => {
    const unet = await weights(`${family}/unet`);
    const found = ldmUNetNames(invertUNet(unet, await config(`${family}/unet`)));
    expect(dimsOf(found)).toEqual(dimsOf(unet));
    for (const [key, { bytes }] of found) expect(bytes).toBe(unet.get(key)?.bytes);
  });

  it('has every weight of its VAE under its name, attention as matrices', async () => {
    const vae = await weights(`${family}/vae`);
    const found = ldmVaeNames(inOneFile(invertVae(vae, await config(`${family}/vae`))));
    expect([...found].map(([key, { dims }]) => [key, dims]).sort()).toEqual(dimsOf(vae));
  });
});

describe('the UNet', () => {
  const key = (name: string) => new Map([[name, 1]]);

  it('counts ten blocks and more, and takes no part of a name for a whole one', () => {
    const blocks = new Map(
      ['input_blocks.1.0.in_layers.0.weight', 'input_blocks.3.0.op.weight', 'input_blocks.10.0.in_layers.0.weight'].map(
        (name) => [name, name],
      ),
    );
    expect([...ldmUNetNames(blocks).keys()]).toEqual([
      'down_blocks.0.resnets.0.norm1.weight',
      'down_blocks.0.downsamplers.0.conv.weight',
      'down_blocks.3.resnets.0.norm1.weight',
    ]);
  });

  it('has as many layers per level as come before the first downsampler', () => {
    expect(layersPerLevel(['input_blocks.0.0.weight', 'input_blocks.4.0.op.weight'])).toBe(3);
    expect(layersPerLevel(['input_blocks.1.0.in_layers.0.weight', 'input_blocks.2.0.in_layers.0.weight'])).toBe(2);
  });

  it('may have a label embedding, and transformers of several blocks', () => {
    expect([...ldmUNetNames(key('label_emb.0.2.bias')).keys()]).toEqual(['add_embedding.linear_2.bias']);
    expect([...ldmUNetNames(key('middle_block.1.transformer_blocks.9.attn1.to_q.weight')).keys()]).toEqual([
      'mid_block.attentions.0.transformer_blocks.9.attn1.to_q.weight',
    ]);
  });

  it('leaves out what is no part of one', () => {
    expect(ldmUNetNames(key('time_embedding.cond_proj.weight')).size).toBe(0);
    expect(ldmUNetNames(key('middle_block.3.in_layers.0.weight')).size).toBe(0);
    expect(
      ldmVaeNames(inOneFile(new Map([['loss.logvar', { dtype: 'F16', shape: [1], bytes: Buffer.alloc(2) }]]))).size,
    ).toBe(0);
  });
});

describe('the text encoder', () => {
  it('of CLIP gets the part of its names that old files lack, and loses buffers', () => {
    const names = [
      'embeddings.position_ids',
      'logit_scale',
      'text_model.final_layer_norm.bias',
      'encoder.layers.0.mlp.fc1.bias',
    ];
    expect([...clipTextNames(new Map(names.map((name) => [name, 1]))).keys()]).toEqual([
      'text_model.final_layer_norm.bias',
      'text_model.encoder.layers.0.mlp.fc1.bias',
    ]);
  });

  it('of OpenCLIP has its packed projections in thirds that lie together', async () => {
    const text = await weights('clip/text_encoder_gelu', 'model');
    const packed = invertOpenClip(text);
    const stored = inOneFile(packed);
    const found = openClipTextNames(stored);
    expect([...found].map(([key, { dims }]) => [key, dims]).sort()).toEqual(dimsOf(text));
    const file = Buffer.concat([...packed.values()].map(({ bytes }) => bytes));
    for (const [key, { byteOffset, byteLength }] of found) {
      expect(file.subarray(byteOffset, byteOffset + byteLength).equals(text.get(key)?.bytes ?? Buffer.of())).toBe(true);
    }
  });

  it('of OpenCLIP keeps its projection as it lies', () => {
    const projection = new Map([['text_projection', { dtype: 'F16', shape: [4, 2], bytes: Buffer.alloc(16) }]]);
    expect([...openClipTextNames(inOneFile(projection)).keys()]).toEqual(['text_projection']);
  });
});

it('keys under a prefix lose it; the longer prefix of two comes first', () => {
  const entries = new Map([
    ['cond_stage_model.transformer.text_model.a', 1],
    ['cond_stage_model.transformer.b', 2],
    ['other.c', 3],
  ]);
  expect([...under(entries, 'cond_stage_model.transformer.')]).toEqual([
    ['text_model.a', 1],
    ['b', 2],
  ]);
});
