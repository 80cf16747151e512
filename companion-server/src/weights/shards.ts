// Weights split over several files: an index says which tensor is in which file.

import { basename, dirname, join } from 'node:path';
import { EditError } from '../errors.ts';
import { isJsonObject, readJsonObject } from './json-file.ts';
import { openSafetensors, type SafetensorsFile } from './safetensors.ts';

/** More files than this are taken for a damaged index. */
const maxShards = 1000;

/**
 * Opens every file that the index names and checks that each tensor is where the index says.
 * Throws EditError: 'model-missing' for a missing shard, 'model-damaged' for an index that is wrong or points outside
 * the folder.
 */
export async function openShards(indexPath: string): Promise<readonly SafetensorsFile[]> {
  const { weight_map: weightMap } = await readJsonObject(indexPath);
  if (!isJsonObject(weightMap) || Object.keys(weightMap).length === 0) {
    throw damaged(indexPath, 'weight_map must be an object of file names by tensor name');
  }
  const namesByShard = new Map<string, string[]>();
  for (const [name, shard] of Object.entries(weightMap)) {
    if (!isPlainFileName(shard)) {
      throw damaged(
        indexPath,
        `weight_map["${name}"] must be a .safetensors file in the same folder, got ${JSON.stringify(shard)}`,
      );
    }
    const names = namesByShard.get(shard) ?? [];
    names.push(name);
    namesByShard.set(shard, names);
  }
  if (namesByShard.size > maxShards) {
    throw damaged(indexPath, `names ${namesByShard.size} files, at most ${maxShards} are read`);
  }
  const files: SafetensorsFile[] = [];
  for (const [shard, names] of namesByShard) {
    const file = await openSafetensors(join(dirname(indexPath), shard));
    const absent = names.find((name) => !file.entries.has(name));
    if (absent !== undefined) {
      throw damaged(indexPath, `says that tensor "${absent}" lies in ${shard}, it does not`);
    }
    // A tensor belongs to the shard that the index names; what else a shard holds is not taken.
    const entries = new Map([...file.entries].filter(([name]) => weightMap[name] === shard));
    files.push({ ...file, entries });
  }
  return files;
}

/** A name that cannot leave the folder on any platform. */
function isPlainFileName(value: unknown): value is string {
  return typeof value === 'string' && value === basename(value) && /^[^\\/:\0]+\.safetensors$/.test(value);
}

function damaged(path: string, fault: string): EditError {
  return new EditError('model-damaged', `${path}: ${fault}.`, {
    hint: 'Download the checkpoint again.',
  });
}
