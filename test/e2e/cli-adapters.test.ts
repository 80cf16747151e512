// LoRA, embeddings and a VAE from the command line to the engine and back, each with a server of the command's own.

import { cp, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { writeTensors } from '../../companion-server/src/weights/lora/testing/made-lora.ts';
import { openSafetensors } from '../../companion-server/src/weights/safetensors.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { runCliProcess } from './cli-process.ts';
import { createWorkspace } from './workspace.ts';

test('a LoRA, an embedding and a VAE by their files change the edit; one that cannot be used ends it with its name', async () => {
  const workspace = await createWorkspace();
  const { folder } = workspace;
  const model = await makeTinyCheckpoint(join(folder, 'tiny'));
  await makeClip(join(folder, 'cat.mkv'), [...testPicture('64x64', '10', 2), '-c:v', 'ffv1']);
  const { entries } = await openSafetensors(join(model, 'unet', 'diffusion_pytorch_model.safetensors'));
  const [key = '', { dims: [rows = 0, columns = 0] } = { dims: [] }] =
    [...entries].find(([name]) => name.endsWith('attn2.to_k.weight')) ?? [];
  const module = `unet.${key.replace(/\.weight$/, '')}`;
  const pair = { [`${module}.lora_A.weight`]: [2, columns], [`${module}.lora_B.weight`]: [rows, 2] };
  await writeTensors(folder, 'look.safetensors', pair);
  await writeTensors(folder, 'mylook.safetensors', { emb_params: [1, columns] });
  await writeTensors(folder, 'cut.safetensors', pair);
  await truncate(join(folder, 'cut.safetensors'), 4100);

  const edit = async (out: string, ...adapters: readonly string[]) => {
    const small = ['--steps', '1', '--inversion-steps', '1', '--guidance', '6', '--out', out];
    const args = ['edit', 'cat.mkv', '--model', model, '--device', 'cpu', '--prompt', 'a mylook dog', ...small];
    const ended = await runCliProcess(workspace, [...args, ...adapters], { engine: 'sharing' });
    return { ...ended, result: await readFile(join(folder, out)).catch(() => null) };
  };
  const other = await makeTinyCheckpoint(join(folder, 'other'), 'sd2');
  await cp(join(other, 'vae'), join(folder, 'other-vae'), { recursive: true });
  const plain = await edit('plain.mov');
  const look = await edit('look.mov', '--lora', 'look.safetensors:0.8');
  const word = await edit('word.mov', '--embedding', 'mylook.safetensors');
  const vae = await edit('vae.mov', '--vae', './other-vae');
  expect([plain, look, word, vae].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
  expect(vae.stdout).toContain('VAE: other-vae');
  expect(vae.result?.equals(plain.result ?? Buffer.alloc(0))).toBe(false);
  expect(look.stdout).toContain('LoRA: look 0.8');
  expect(look.result?.equals(plain.result ?? Buffer.alloc(0))).toBe(false);
  expect(word.result?.equals(plain.result ?? Buffer.alloc(0))).toBe(false);

  const cut = await edit('cut.mov', '--lora', 'look.safetensors', '--lora', 'cut.safetensors');
  expect(cut).toMatchObject({ exitCode: 4, result: null });
  expect(cut.stderr).toContain('The LoRA "cut" cannot be used');
  expect(cut.stderr).not.toContain(folder);
  const unknown = await edit('unknown.mov', '--lora', 'film-look');
  expect(unknown).toMatchObject({ exitCode: 4, result: null });
  expect(unknown.stderr).toContain("The server has no LoRA named 'film-look'; it has none.");
  const noVae = await edit('no-vae.mov', '--vae', 'kl-f8');
  expect(noVae).toMatchObject({ exitCode: 4, result: null });
  expect(noVae.stderr).toContain("The server has no VAE named 'kl-f8'; it has none.");
});
