// Which checkpoints there are on this machine: the one that comes with the program, those in the models folder, and
// folders that were added by reference.

import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { isCheckpointFolder, isCheckpointPath, listModelFolders, modelDir, readReferences } from './models-folder.ts';

/** The checkpoint that comes with the program. */
export const embeddedModelDir = fileURLToPath(new URL('../../../models/demo', import.meta.url));
export const embeddedModelId = 'demo';

/** The folder of models below the data folder. */
export function modelsDirOf(dataDir: string): string {
  return join(dataDir, 'models');
}

/**
 * Folders and files by name, the embedded model first. A reference to one that is not there now, as on a disk that is not
 * connected, is left out. Throws EditError 'model-damaged' when the list of references cannot be read.
 */
export function findInstalledModels(modelsDir: string): ReadonlyMap<string, string> {
  const models = new Map<string, string>();
  const add = (name: string, path: string, isThere = isCheckpointFolder): void => {
    if (!models.has(name) && isThere(path)) models.set(name, path);
  };
  add(embeddedModelId, embeddedModelDir);
  for (const name of listModelFolders(modelsDir)) add(name, modelDir(modelsDir, name));
  for (const [name, dir] of readReferences(modelsDir)) add(name, dir, isCheckpointPath);
  return models;
}
