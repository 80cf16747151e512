// The tiny decoder for small pictures of an edit's latents, where one was downloaded for the model's family.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { modelFamilies } from '../weights/lora/recognise-lora.ts';
import type { CatalogModel } from './catalog-file.ts';
import { readCatalog } from './catalog.ts';
import { listPulledOf, modelDir } from './models-folder.ts';

/** Families whose latents are the same. */
const sameLatents: readonly (readonly string[])[] = [[modelFamilies.sd1, modelFamilies.sd2], [modelFamilies.sdxl]];

/**
 * Absolute path of the decoder's safetensors file; null where none was downloaded.
 * @param family of the model that is edited with, as the list of models has it; null where that is not known
 */
export function previewDecoderFile(
  modelsDir: string,
  family: string | null,
  catalog: readonly CatalogModel[] = readCatalog(),
): string | null {
  const alike = sameLatents.find((families) => families.some((one) => one === family)) ?? [];
  for (const id of listPulledOf(modelsDir, 'decoder')) {
    const known = catalog.find((model) => model.id === id);
    if (known === undefined || !alike.includes(known.family)) continue;
    const name = known.hub?.files.find(({ path }) => /decoder[^/]*\.safetensors$/.test(path))?.path;
    const file = join(modelDir(modelsDir, id, 'decoder'), ...(name ?? '').split('/'));
    if (name !== undefined && existsSync(file)) return file;
  }
  return null;
}
