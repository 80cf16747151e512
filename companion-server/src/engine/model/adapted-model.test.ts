// What LoRA and embeddings do to the two text encoders of Stable Diffusion XL, and which files do not fit it.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import type { VaeFile } from '../../families/replace-vae.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import { openSafetensors } from '../../weights/safetensors.ts';
import { writeTensors, type Shapes } from '../../weights/lora/testing/made-lora.ts';
import type { AdapterFiles } from './adapters.ts';
import { openModel } from './model.ts';

const modelDir = path.join(goldenDir, 'sdxl');
const size = { width: 64, height: 64 };
/** Widths of the encoders' tokens, which lie side by side. */
const [first, second] = [12, 20];

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-adapted-model-'));
});
afterAll(() => rm(dir, { recursive: true }));

const open = (files: AdapterFiles) =>
  openModel({ ...files, dir: modelDir, execution: preferredExecution.cpu, cacheDir: path.join(dir, 'cache') });

async function told(files: AdapterFiles, prompt = 'a wolf'): Promise<Conditioning> {
  const [found] = await (await open(files)).conditioning([prompt], size);
  if (found === undefined) throw new Error('There is no conditioning.');
  return found;
}

async function loraOf(name: string, shapes: Shapes) {
  return { name, file: await writeTensors(dir, `${name}.safetensors`, shapes), strength: 1 };
}

const pair = (name: string, rows: number, columns: number): Shapes => ({
  [`${name}.lora_down.weight`]: [2, columns],
  [`${name}.lora_up.weight`]: [rows, 2],
});

/** Which parts of a conditioning differ. */
function changed(one: Conditioning, other: Conditioning) {
  const width = first + second;
  const differs = (from: number, to: number) =>
    one.tokens.data.some((value, i) => i % width >= from && i % width < to && value !== other.tokens.data[i]);
  return {
    first: differs(0, first),
    second: differs(first, width),
    pooled: one.pooled?.data.some((value, i) => value !== other.pooled?.data[i]) ?? false,
  };
}

describe('a LoRA for Stable Diffusion XL', () => {
  const layer = 'text_model_encoder_layers_0_self_attn_q_proj';

  it.each([
    ['the first text encoder', pair(`lora_te1_${layer}`, 12, 12), { first: true, second: false, pooled: false }],
    ['the second text encoder', pair(`lora_te2_${layer}`, 20, 20), { first: false, second: true, pooled: true }],
    ['the projection', pair('lora_te2_text_projection', 10, 20), { first: false, second: false, pooled: true }],
    [
      'the first text encoder as diffusers names it',
      pair('text_encoder.text_model.encoder.layers.0.self_attn.q_proj', 12, 12),
      { first: true, second: false, pooled: false },
    ],
    [
      'the UNet alone',
      pair('lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k', 24, 32),
      { first: false, second: false, pooled: false },
    ],
  ] satisfies [string, Shapes, object][])('changes %s', async (_part, shapes, parts) => {
    const lora = await loraOf('look', shapes);
    expect(changed(await told({ loras: [lora] }), await told({}))).toEqual(parts);
  });

  it('changes the block of the UNet that the original code numbers so', async () => {
    const lora = await loraOf('unet', pair('lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k', 24, 32));
    const weightsDir = path.join(dir, 'cache', 'weights');
    const before = new Set(await readdir(weightsDir).catch(() => []));
    await open({ loras: [lora] });
    const made = (await readdir(weightsDir)).filter((name) => name.startsWith('lora-') && !before.has(name));
    const { entries } = await openSafetensors(path.join(weightsDir, made[0] ?? ''));
    expect([...entries.keys()]).toEqual(['down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight']);
  });
});

describe('an embedding for Stable Diffusion XL', () => {
  const embedding = async (name: string, shapes: Shapes) => ({
    word: name,
    file: await writeTensors(dir, `${name}.safetensors`, shapes),
  });

  it('is a word for both text encoders', async () => {
    const both = await embedding('mylook', { clip_l: [2, first], clip_g: [2, second] });
    const prompt = 'a mylook wolf';
    const known = await told({ embeddings: [both] }, prompt);
    expect(changed(known, await told({}, prompt))).toEqual({ first: true, second: true, pooled: true });
    const unused = await told({ embeddings: [both] });
    expect(changed(unused, await told({}))).toEqual({ first: false, second: false, pooled: false });
  });

  it('that has vectors for one of them only is refused', async () => {
    const one = await embedding('half', { emb_params: [2, first] });
    await expect(open({ embeddings: [one] })).rejects.toMatchObject({
      code: 'adapter-unsupported',
      message: `The embedding "half" does not fit: the text encoder reads vectors of width ${second}, the file has ${first}.`,
    });
  });
});

it('with another VAE is another model, by its config as by its weights', async () => {
  const folder = path.join(dir, 'vae');
  await cp(path.join(modelDir, 'vae'), folder, { recursive: true });
  const identify = async (vae: VaeFile | null) => (await open({ vae })).identify();
  const own = await identify(null);
  expect(await identify({ name: 'copy', file: folder })).toBe(own);
  const file = path.join(folder, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, force_upcast: false }));
  expect(await identify({ name: 'fix', file: folder })).not.toBe(own);
});
