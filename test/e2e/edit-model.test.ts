// What `edit --model` says of a file that no edit can use: by name, before a server is started.

import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { halfFileBytes } from '../../companion-server/src/weights/testing/made-files.ts';
import { runCli } from '../../companion-server/src/cli/run.ts';
import { editCommand } from '../../companion-server/src/cli/commands/edit.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tokenflow-edit-model-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function edit(...args: readonly string[]) {
  const written = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => void (written[name] += text),
    isTTY: false,
    columns: 80,
  });
  const exitCode = await runCli(['edit', 'clip.mp4', '--prompt', 'x', ...args], [editCommand], {
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: { TOKENFLOW_DATA: join(dir, 'data'), TOKENFLOW_CACHE: join(dir, 'cache'), TOKENFLOW_LIBRARY: 'off' },
    signal: new AbortController().signal,
    startServer: () => Promise.reject(new Error('A server was started.')),
    startWorker: () => Promise.reject(new Error('A worker was started.')),
  });
  return { exitCode, ...written };
}

const unet = 'model.diffusion_model.';
const plain = {
  [`${unet}input_blocks.0.0.weight`]: [2, 4, 3, 3],
  [`${unet}input_blocks.2.1.proj_in.weight`]: [2, 2, 1, 1],
  [`${unet}input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight`]: [2, 768],
};

test.each<[string, Readonly<Record<string, readonly number[]>>]>([
  ['is Stable Diffusion 3', { [`${unet}joint_blocks.0.context_block.attn.qkv.weight`]: [1] }],
  ['is Flux', { [`${unet}double_blocks.0.img_attn.norm.key_norm.scale`]: [1] }],
  ['is an inpainting model', { ...plain, [`${unet}input_blocks.0.0.weight`]: [2, 9, 3, 3] }],
  [
    "is Stable Diffusion XL's refiner",
    { 'conditioner.embedders.0.model.transformer.resblocks.9.mlp.c_proj.bias': [2], [`${unet}a`]: [1] },
  ],
  ['is a ControlNet', { ...plain, 'control_model.time_embed.0.weight': [2, 2] }],
  ['is a LoRA', { 'lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight': [1, 2] }],
  ['is a VAE alone', { 'decoder.mid.block_1.conv1.weight': [1] }],
])('a file that %s is refused by name', async (name, shapes) => {
  const file = join(dir, 'refused.safetensors');
  await writeFile(file, halfFileBytes(shapes));
  const { exitCode, stderr } = await edit('--model', file);
  expect(stderr).toContain(name);
  expect(exitCode).toBe(4);
});

test.each([
  ['model.ckpt', 'pickle', 'is a pickle'],
  ['model.gguf', 'GGUF0000', 'is quantised (GGUF)'],
  ['empty.safetensors', '', 'needs at least 8 bytes'],
])('the file %s is refused by name', async (name, content, message) => {
  await writeFile(join(dir, name), content);
  const { exitCode, stderr } = await edit('--model', join(dir, name));
  expect(stderr).toContain(message);
  expect(exitCode).toBe(4);
});

test('a file that was cut off is refused by its name', async () => {
  const file = join(dir, 'cut.safetensors');
  await writeFile(file, halfFileBytes(plain));
  await truncate(file, 300);
  const { exitCode, stderr } = await edit('--model', file);
  expect(stderr).toContain('cut.safetensors');
  expect(exitCode).toBe(4);
});

test('a file without a VAE and text encoder is refused with the option that names them', async () => {
  const file = join(dir, 'lacking.safetensors');
  await writeFile(file, halfFileBytes(plain));
  const { exitCode, stderr } = await edit('--model', file);
  expect(exitCode).toBe(4);
  expect(stderr).toContain('has no VAE or text encoder');
  expect(stderr).toContain('--parts');
});
