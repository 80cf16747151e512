// Adds folders by reference, and removes models. Only files in the models folder are ever deleted.

import { lstatSync } from 'node:fs';
import { mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { EditError } from '../errors.ts';
import { openCheckpoint } from '../families/open-checkpoint.ts';
import { requireLoadable } from '../families/require-loadable.ts';
import { explainingDisk } from '../files/disk-error.ts';
import { catalogKinds } from './catalog-file.ts';
import { readCatalog } from './catalog.ts';
import { complainAboutModelName } from './file-names.ts';
import { inHubCache } from './library/places/hub-cache.ts';
import { embeddedModelId, findInstalledModels } from './installed-models.ts';
import { readingWith } from './library/parts.ts';
import {
  discardDir,
  isDiscarded,
  listStaged,
  modelDir,
  readReferences,
  stagingDir,
  withModelLock,
  writeReferences,
} from './models-folder.ts';
import { installedDonors, keepReading, plainReading, requireUseOfParts, type ModelReading } from './readings.ts';
import { typed } from '../typed-command.ts';

/**
 * Registers the checkpoint in the folder or file `dir` under a name, with how it is read; nothing is copied. A repository in
 * a hub's cache stands for its files of today. Adding it again under its name changes how it is read. Returns the name.
 * Throws EditError: 'invalid-request' for a name that cannot be taken; 'model-missing', 'model-damaged' and
 * 'model-unsupported' for what the engine cannot load.
 */
export async function addModel(
  modelsDir: string,
  dir: string,
  chosenName?: string,
  reading: ModelReading = plainReading,
): Promise<string> {
  const given = resolve(dir);
  const cached = await inHubCache(given);
  const absolute = cached?.dir ?? given;
  // Without its owner, which no name has here, or the ending of a file.
  const own = cached?.repository.split('/').at(-1) ?? basename(given).replace(/\.safetensors$/, '');
  const name = chosenName ?? own;
  const complaint = complainAboutModelName(name);
  if (complaint !== undefined) {
    const hint = chosenName === undefined ? { hint: 'Give it another one with --name.' } : {};
    throw new EditError('invalid-request', `The name ${complaint}, got '${name}'.`, hint);
  }
  await requireUseOfParts(absolute, reading);
  await requireLoadable(
    await openCheckpoint(absolute, await readingWith(absolute, reading, [() => installedDonors(modelsDir)])),
  );
  const references = readReferences(modelsDir);
  const isKnown = references.get(name) === absolute;
  const isTaken =
    references.has(name) || findInstalledModels(modelsDir).has(name) || readCatalog().some(({ id }) => id === name);
  if (isTaken && !isKnown) {
    throw new EditError('invalid-request', `There is a model ${name} already.`, {
      hint: 'Give the folder another name with --name.',
    });
  }
  await prepare(modelsDir);
  if (!isKnown) await writeReferences(modelsDir, new Map([...references, [name, absolute]]));
  await keepReading(modelsDir, name, reading);
  return name;
}

export type Removal = 'deleted' | 'reference' | 'download';

/**
 * Takes a model away: deletes it where it was pulled, or forgets the reference and leaves the folder alone; also a
 * download that was not finished. Throws EditError: 'invalid-request' for the embedded model, 'model-missing'.
 */
export async function removeModel(modelsDir: string, name: string): Promise<Removal> {
  if (name === embeddedModelId) {
    throw new EditError('invalid-request', `${name} comes with the program and cannot be removed.`);
  }
  const references = readReferences(modelsDir);
  if (references.has(name)) {
    await writeReferences(modelsDir, new Map([...references].filter(([key]) => key !== name)));
    await keepReading(modelsDir, name, plainReading);
    return 'reference';
  }
  const isName = complainAboutModelName(name) === undefined;
  const isStaged = isName && listStaged(modelsDir).includes(name);
  const dirs = catalogKinds.map((kind) => modelDir(modelsDir, name, kind));
  const dir = isName ? dirs.find(isFolderOrLink) : undefined;
  const isFolder = dir !== undefined;
  if (!isStaged && !isFolder) {
    throw new EditError('model-missing', `There is no model ${name} to remove.`, {
      hint: `See ${typed('models')}.`,
    });
  }
  await prepare(modelsDir);
  await withModelLock(modelsDir, name, async () => {
    if (isStaged) await deleteFolder(modelsDir, name, stagingDir(modelsDir, name));
    if (isFolder) await deleteFolder(modelsDir, name, dir);
  });
  return isFolder ? 'deleted' : 'download';
}

/** The folder is renamed first, so that no other process finds a half-deleted one. */
async function deleteFolder(modelsDir: string, name: string, dir: string): Promise<void> {
  await explainingDisk(dir, { what: `Cannot delete "${dir}"` }, async () => {
    if (lstatSync(dir).isSymbolicLink()) {
      await unlink(dir);
      return;
    }
    const discarded = discardDir(modelsDir, name);
    await rename(dir, discarded);
    await rm(discarded, { recursive: true, force: true, maxRetries: 3 });
  });
}

/** Makes the folder, and deletes what a killed removal left. */
async function prepare(modelsDir: string): Promise<void> {
  const hidden = join(modelsDir, '.pulling');
  await explainingDisk(modelsDir, {}, async () => {
    await mkdir(hidden, { recursive: true });
    for (const name of (await readdir(hidden)).filter(isDiscarded)) {
      await rm(join(hidden, name), { recursive: true, force: true, maxRetries: 3 });
    }
  });
}

function isFolderOrLink(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats !== undefined && (stats.isDirectory() || stats.isSymbolicLink());
}
