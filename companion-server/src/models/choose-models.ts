// Which models a server has before it looks for others, and which of them is the default.

import { stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { EditError } from '../errors.ts';
import { openCheckpoint } from '../families/open-checkpoint.ts';
import { PartsMissingError } from '../families/open-single-file.ts';
import { isFile } from '../weights/checkpoint-file.ts';
import { readCatalog } from './catalog.ts';
import { findInstalledModels } from './installed-models.ts';
import type { Machine } from './library/found.ts';
import { createLibrary } from './library/library.ts';
import { inHubCache } from './library/places/hub-cache.ts';
import { isCheckpointFolder } from './models-folder.ts';
import { plainReading, requireUseOfParts, type ModelReading } from './readings.ts';
import { typed } from '../typed-command.ts';

/** Where a chosen name is looked up. */
export interface ModelPlaces {
  /** Whether every edit names a VAE: a file may lack its own. */
  readonly isVaeNamed?: boolean | undefined;
  readonly modelsDir: string;
  /** Whose programs are looked for; null for none. */
  readonly machine: Machine | null;
  readonly cacheDir: string | null;
}

/**
 * Folders or files by name, the default first: `chosen` where it is given, else the embedded model.
 * @param chosen the name of an installed model, a checkpoint's folder or file, or a name that the library finds
 * @param reading how the default is read; null as it says itself, or as was said when it was added
 * Throws EditError: 'invalid-request' when parts are named for a folder, 'model-missing' when `chosen` is none of them, 'model-unsupported' and 'model-damaged' with the reason
 * for one that cannot be used.
 */
export async function chooseModels(
  places: ModelPlaces,
  chosen?: string,
  reading: ModelReading | null = null,
): Promise<ReadonlyMap<string, string>> {
  const models = await findChosen(places, chosen, reading);
  const [first] = models.values();
  if (reading !== null && first !== undefined) await requireUseOfParts(first, reading);
  return models;
}

async function findChosen(
  places: ModelPlaces,
  chosen: string | undefined,
  reading: ModelReading | null,
): Promise<ReadonlyMap<string, string>> {
  const installed = findInstalledModels(places.modelsDir);
  if (chosen === undefined || chosen === '') return installed;
  const named = installed.get(chosen);
  if (named !== undefined) return withFirst(chosen, named, installed);
  const path = resolve(chosen);
  if (isCheckpointFolder(path)) {
    const name = (await inHubCache(path))?.repository ?? basename(path);
    return withFirst(name, path, installed);
  }
  const cached = await inHubCache(path);
  if (cached !== undefined) return withFirst(cached.repository, cached.dir, installed);
  if (await exists(path)) {
    const name = basename(path, extname(path));
    const models = withFirst(name, path, installed);
    // Both say what it is instead, where it is no checkpoint.
    if (await isFile(path)) {
      const readings = new Map([[name, reading ?? plainReading]]);
      try {
        await createLibrary({ first: models, readings, ...places }).readingOf(name);
      } catch (error) {
        if (!(places.isVaeNamed === true && error instanceof PartsMissingError && error.isVaeOnly)) throw error;
      }
    } else await openCheckpoint(path);
    return models;
  }
  const library = createLibrary({ first: installed, ...places });
  await library.refresh();
  try {
    return withFirst(chosen, await library.pathOfModel(chosen), installed);
  } catch (error) {
    const isAbsent = error instanceof EditError && error.code === 'model-missing';
    const isSeveral = library.found().filter(({ item }) => item.name === chosen).length > 1;
    throw isAbsent && !isSeveral ? missing(chosen, path, installed) : error;
  }
}

/** A chosen folder goes before an installed model of the same name. */
function withFirst(name: string, dir: string, installed: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const models = new Map([[name, dir]]);
  for (const [other, otherDir] of installed) if (other !== name) models.set(other, otherDir);
  return models;
}

function missing(chosen: string, dir: string, installed: ReadonlyMap<string, string>): EditError {
  const known = readCatalog().find(({ id, hub }) => id === chosen || hub?.repository === chosen);
  if (known !== undefined) {
    return new EditError('model-missing', `${known.title} is not on this machine yet.`, {
      hint: `Download it: ${typed(`models pull ${known.id}`)}`,
    });
  }
  if (/^[\w.-]+\/[\w.-]+$/.test(chosen)) {
    return new EditError(
      'model-missing',
      `There is no model ${chosen} in the Hugging Face cache, and no such folder.`,
      {
        hint: `Download it with a tool of your choice, or see ${typed('models')} for those that there are.`,
      },
    );
  }
  if (/[/\\]/.test(chosen)) {
    return new EditError('model-missing', `The model folder ${dir} does not exist.`, {
      hint: `Name a checkpoint folder in diffusers layout, or a model by the name that ${typed('models')} shows.`,
    });
  }
  return new EditError('model-missing', `There is no model '${chosen}', and no such folder.`, {
    hint: `There are ${[...installed.keys()].join(', ')}, and those that ${typed('models')} shows. Others are downloaded with ${typed('models pull ID')}.`,
  });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
