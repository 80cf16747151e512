// Opens a checkpoint: finds its family and the parts that the family names. Headers and small files are read, weights
// stay where they are.

import { openCheckpointFolder, readCheckpoint, type Checkpoint, type CheckpointFolder } from '../weights/checkpoint.ts';
import type { OpenOptions } from '../weights/component.ts';
import type { ModelFamily } from './family.ts';
import { families } from './list.ts';
import { refusalOf } from './refusals.ts';

export interface FamilyCheckpoint extends Checkpoint {
  readonly family: ModelFamily;
}

export interface OpenCheckpointOptions extends OpenOptions {
  /** The families of checkpoints; all of families/list.ts when left out. */
  readonly families?: readonly ModelFamily[] | undefined;
}

/**
 * Opens the checkpoint in the folder `dir`. Throws EditError: 'model-missing' with the path that was expected,
 * 'model-damaged' with file, rule and value, 'model-unsupported' with what the checkpoint is instead.
 */
export async function openCheckpoint(
  dir: string,
  { families: among = families, ...options }: OpenCheckpointOptions = {},
): Promise<FamilyCheckpoint> {
  const folder = await openCheckpointFolder(dir);
  const family = await findFamily(folder, among);
  return { ...(await readCheckpoint(folder, family.layout, options)), family };
}

async function findFamily(folder: CheckpointFolder, among: readonly ModelFamily[]): Promise<ModelFamily> {
  for (const family of among) if (await family.recognises(folder)) return family;
  throw refusalOf(folder, among);
}
