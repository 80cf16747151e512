// A home folder with programs in it, for tests: files with small right headers, and folders as the programs make them.

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { checkpointFiles } from '../../../weights/testing/made-checkpoint.ts';
import { halfFileBytes } from '../../../weights/testing/made-files.ts';
import type { Machine } from '../found.ts';

/** Headers of files of each kind; they have no more tensors than it takes to recognise them. */
export const madeFiles = {
  checkpoint: halfFileBytes({ 'model.diffusion_model.input_blocks.0.0.weight': [2, 4, 3, 3] }),
  lora: halfFileBytes({
    'lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight': [1, 8],
    'lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight': [8, 1],
  }),
  vae: halfFileBytes({ 'decoder.conv_in.weight': [2, 4, 3, 3] }),
  embedding: halfFileBytes({ emb_params: [1, 768] }),
  fluxLora: halfFileBytes({
    'transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight': [1, 8],
    'transformer.single_transformer_blocks.0.attn.to_q.lora_B.weight': [8, 1],
  }),
  languageModel: halfFileBytes({ 'model.embed_tokens.weight': [4, 4] }),
} as const;

export interface MadeHome {
  /** Absolute, without symbolic links. */
  readonly home: string;
  readonly machine: Machine;
  /** Writes files below the home; paths have forward slashes. */
  put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  /** Makes a link below the home to another place below it. */
  link(from: string, to: string): Promise<void>;
  path(below: string): string;
}

/** A home that goes when the test has finished. `env` as the machine's programs would have it. */
export async function makeHome(
  env: Machine['env'] = {},
  platform: NodeJS.Platform = process.platform,
): Promise<MadeHome> {
  const home = await mkdtemp(join(tmpdir(), 'tokenflow-home-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const path = (below: string): string => join(home, ...below.split('/'));
  return {
    home,
    path,
    machine: { env, platform, home },
    async put(files) {
      for (const [below, content] of Object.entries(files)) {
        await mkdir(dirname(path(below)), { recursive: true });
        await writeFile(path(below), content);
      }
    },
    async link(from, to) {
      await mkdir(dirname(path(from)), { recursive: true });
      await symlink(path(to), path(from));
    },
  };
}

/** The files of a whole checkpoint, below `dir`. */
export function checkpointIn(dir: string): Readonly<Record<string, string | Uint8Array>> {
  return Object.fromEntries(Object.entries(checkpointFiles()).map(([name, content]) => [`${dir}/${name}`, content]));
}

export const madeCommit = 'c0ffee00112233445566778899aabbccddeeff00';

/** Puts a repository into a cache of Hugging Face's libraries: blobs, links to them, and the branch main. */
export async function putRepository(
  home: MadeHome,
  repository: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  cache = '.cache/huggingface/hub',
): Promise<string> {
  const dir = `${cache}/models--${repository.replace('/', '--')}`;
  await home.put({ [`${dir}/refs/main`]: madeCommit });
  for (const [name, content] of Object.entries(files)) {
    const blob = `${dir}/blobs/${Buffer.from(name).toString('hex')}-${basename(name)}`;
    await home.put({ [blob]: content });
    await home.link(`${dir}/snapshots/${madeCommit}/${name}`, blob);
  }
  return dir;
}
