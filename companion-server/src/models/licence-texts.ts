// The licences of the models in the catalogue, as their users must accept them.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Licence as ShownLicence } from '../../../protocol/messages/model-messages.ts';
import type { CatalogModel, Licence } from './catalog-file.ts';

const folder = new URL('../../../models/licences/', import.meta.url);

/** By the address that the catalogue names. */
const files: Readonly<Record<string, string>> = {
  'https://huggingface.co/spaces/CompVis/stable-diffusion-license': 'creativeml-open-rail-m.txt',
  'https://github.com/Stability-AI/stablediffusion/blob/main/LICENSE-MODEL': 'creativeml-open-rail-plus-plus-m.txt',
  'https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md':
    'creativeml-open-rail-plus-plus-m-sdxl.txt',
};

/** The text of a licence; null where only its address is known. */
export function licenceText({ url }: Licence): string | null {
  const file = Object.hasOwn(files, url) ? files[url] : undefined;
  return file === undefined ? null : readFileSync(fileURLToPath(new URL(file, folder)), 'utf8');
}

/** The licence of a model with the hash by which a client says that its user has accepted exactly this one. */
export function licenceOf({ id, licence }: Pick<CatalogModel, 'id' | 'licence'>): ShownLicence {
  const { name, url } = licence;
  const text = licenceText(licence);
  const sha256 = createHash('sha256')
    .update(JSON.stringify([name, url, text]))
    .digest('hex');
  return { modelId: id, name, url, text, sha256 };
}
