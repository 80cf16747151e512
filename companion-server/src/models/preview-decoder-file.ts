// The tiny decoder for small pictures of an edit's latents, where there is one for the model's family.

import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelFamilies } from '../weights/lora/recognise-lora.ts';
import type { CatalogModel } from './catalog-file.ts';
import { readCatalog } from './catalog.ts';
import { listPulledOf, modelDir } from './models-folder.ts';

/** Families whose latents are the same, and what the decoder of their latents is called beside a checkpoint. */
const sameLatents: readonly { readonly families: readonly string[]; readonly usualName: string }[] = [
  { families: [modelFamilies.sd1, modelFamilies.sd2], usualName: 'taesd_decoder.safetensors' },
  { families: [modelFamilies.sdxl], usualName: 'taesdxl_decoder.safetensors' },
];

/** A model as far as its decoder depends on it. */
export interface PreviewedModel {
  /** As the list of models has it; null where that is not known. */
  readonly family: string | null;
  /** Absolute, of its folder or file. */
  readonly path: string;
}

/**
 * Absolute path of the decoder's safetensors file: the one in the model's own folder, else one that was downloaded; null
 * where there is none. Whether the latents fit is not looked at.
 */
export function previewDecoderFile(
  modelsDir: string | null,
  { family, path }: PreviewedModel,
  catalog: readonly CatalogModel[] = readCatalog(),
): string | null {
  const alike = sameLatents.find(({ families }) => families.some((one) => one === family));
  if (alike === undefined) return null;
  const folder = statSync(path, { throwIfNoEntry: false })?.isFile() === true ? dirname(path) : path;
  const own = join(folder, alike.usualName);
  if (existsSync(own)) return own;
  if (modelsDir === null) return null;
  for (const id of listPulledOf(modelsDir, 'decoder')) {
    const known = catalog.find((model) => model.id === id);
    if (known === undefined || !alike.families.includes(known.family)) continue;
    const name = known.hub?.files.find((file) => /decoder[^/]*\.safetensors$/.test(file.path))?.path;
    const file = join(modelDir(modelsDir, id, 'decoder'), ...(name ?? '').split('/'));
    if (name !== undefined && existsSync(file)) return file;
  }
  return null;
}
