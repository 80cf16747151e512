// What clients are told of a model: what the catalogue says, else its name. No path.

import { basename } from 'node:path';
import type { LoraInfo, ModelInfo } from '../../../../protocol/model-info.ts';
import type { CatalogModel } from '../catalog-file.ts';
import type { OwnModel } from './own-models.ts';
import type { FoundModel } from './scan.ts';

const maxFolderCharacters = 400;
const maxTitleCharacters = 200;

export function describeOwn({ id, known, family, sizeBytes, source, problem, vocabulary }: OwnModel): ModelInfo {
  return {
    id,
    title: known?.title ?? id,
    goodFor: known?.goodFor ?? '',
    family,
    sizeBytes,
    source,
    folder: '',
    problem,
    vocabulary,
  };
}

/** Everything but the name. */
export function describeFound(model: FoundModel, id: string, catalog: readonly CatalogModel[]): Omit<LoraInfo, 'name'> {
  const known = catalogEntryOf(model, catalog);
  const { family, problem, source, folder, file, place } = model;
  return {
    title: (known?.title ?? id).slice(0, maxTitleCharacters),
    goodFor: known?.goodFor ?? '',
    family,
    sizeBytes: file.sizeBytes,
    source,
    folder: (source === 'folder' && folder === '' ? place : folder).slice(0, maxFolderCharacters),
    problem,
  };
}

/** The catalogue's entry with this repository, or with a file of this name that no other model has. */
function catalogEntryOf(
  { source, name: ownName, repository, file }: FoundModel,
  catalog: readonly CatalogModel[],
): CatalogModel | undefined {
  if (source === 'downloaded') return catalog.find(({ id }) => id === ownName);
  const name = basename(file.path);
  return catalog.find(({ hub }) => {
    if (hub === null) return false;
    const isRepository = hub.repository === repository;
    if (file.isFolder) return isRepository;
    const has = hub.files.some(({ path }) => basename(path) === name);
    return has && (isRepository || !usualNames.test(name));
  });
}

/** Names that files of many models have. */
const usualNames = /^(pytorch_lora_weights|diffusion_pytorch_model|model|taesd_(de|en)coder)\b/;
