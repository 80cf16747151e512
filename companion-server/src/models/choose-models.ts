// Which models a server offers, and which of them is the default.

import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { EditError } from '../errors.ts';
import { readCatalog } from './catalog.ts';
import { findInstalledModels } from './installed-models.ts';
import { isCheckpointFolder } from './models-folder.ts';

/**
 * Folders by name, the default first: `chosen` where it is given, else the embedded model.
 * @param chosen the name of an installed model, or a checkpoint folder
 * Throws EditError 'model-missing' when `chosen` is neither.
 */
export function chooseModels(modelsDir: string, chosen?: string): ReadonlyMap<string, string> {
  const installed = findInstalledModels(modelsDir);
  if (chosen === undefined || chosen === '') return installed;
  const named = installed.get(chosen);
  if (named !== undefined) return withFirst(chosen, named, installed);
  const dir = resolve(chosen);
  if (isCheckpointFolder(dir)) return withFirst(basename(dir), dir, installed);
  throw missing(chosen, dir, installed);
}

/** A chosen folder goes before an installed model of the same name. */
function withFirst(name: string, dir: string, installed: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const models = new Map([[name, dir]]);
  for (const [other, otherDir] of installed) if (other !== name) models.set(other, otherDir);
  return models;
}

function missing(chosen: string, dir: string, installed: ReadonlyMap<string, string>): EditError {
  const known = readCatalog().find(({ id }) => id === chosen);
  if (known !== undefined) {
    return new EditError('model-missing', `${known.title} is not on this machine yet.`, {
      hint: `Download it: npm run models -- pull ${known.id}`,
    });
  }
  if (/[/\\]/.test(chosen) || existsSync(dir)) {
    const fault = existsSync(dir) ? 'has no model_index.json' : 'does not exist';
    return new EditError('model-missing', `The model folder ${dir} ${fault}.`, {
      hint: 'Name a checkpoint folder in diffusers layout, or a model by the name that models list shows.',
    });
  }
  return new EditError('model-missing', `There is no model '${chosen}', and no such folder.`, {
    hint: `There are ${[...installed.keys()].join(', ')}. Others are downloaded with models pull.`,
  });
}
