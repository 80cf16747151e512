// A checkpoint folder for tests: the right files, with a few tiny tensors.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { halfFileBytes } from './made-files.ts';

/** The files of a small right checkpoint, by path inside its folder. */
export function checkpointFiles(): Record<string, string | Uint8Array> {
  return {
    'model_index.json': JSON.stringify({ _class_name: 'StableDiffusionPipeline' }),
    'unet/config.json': JSON.stringify({ _class_name: 'UNet2DConditionModel', in_channels: 4 }),
    'unet/diffusion_pytorch_model.safetensors': halfFileBytes({ 'conv_in.weight': [2, 4, 3, 3] }),
    'vae/config.json': JSON.stringify({ _class_name: 'AutoencoderKL' }),
    'vae/diffusion_pytorch_model.safetensors': halfFileBytes({ 'decoder.conv_in.bias': [3] }),
    'text_encoder/config.json': JSON.stringify({ architectures: ['CLIPTextModel'] }),
    'text_encoder/model.safetensors': halfFileBytes({ 'text_model.final_layer_norm.bias': [4] }),
    'scheduler/scheduler_config.json': JSON.stringify({ num_train_timesteps: 1000 }),
    'tokenizer/vocab.json': '{}',
    'tokenizer/merges.txt': '#version: 0.2\n',
  };
}

/** Writes `files` under `dir`, making folders as needed. */
export async function writeFiles(dir: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
  }
}
