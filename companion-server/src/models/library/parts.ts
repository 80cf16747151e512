// Which other checkpoints give a checkpoint in one file the parts that it lacks.

import { openCheckpoint, type CheckpointReading } from '../../families/open-checkpoint.ts';
import { EditError } from '../../errors.ts';
import type { PartDonor } from '../../families/family.ts';
import { PartsMissingError } from '../../families/open-single-file.ts';
import type { VaeFile } from '../../families/replace-vae.ts';
import { isFile } from '../../weights/checkpoint-file.ts';
import { installedDonors, plainReading, readReadings, type ModelReading } from '../readings.ts';
import type { FoundKind } from './found.ts';

/**
 * How the checkpoint is opened: with the parts of the first of `donors` that fits, where the user named none. Only headers
 * are read.
 * @param donors asked in their order; later ones only when those before lack a part
 * @param vae that the edit uses in any case; null for the model's own
 * Throws EditError: PartsMissingError when none of them has the parts, and what `openCheckpoint` throws.
 */
export async function readingWith(
  path: string,
  { parts, prediction }: ModelReading,
  donors: readonly (() => readonly PartDonor[] | Promise<readonly PartDonor[]>)[],
  vae: VaeFile | null = null,
): Promise<CheckpointReading> {
  if (!(await isFile(path))) return { prediction };
  const open = async (others: readonly PartDonor[]): Promise<CheckpointReading> => {
    const { borrowedFrom } = await openCheckpoint(path, { prediction, partsFrom: { named: parts, others }, vae });
    // Only what is used: a model that comes later makes no other job of it.
    return { prediction, partsFrom: { named: parts, others: borrowedFrom } };
  };
  let others: readonly PartDonor[] = [];
  for (const find of donors) {
    try {
      return await open(others);
    } catch (error) {
      if (!(error instanceof PartsMissingError)) throw error;
    }
    others = [...others, ...(await find())].filter((donor) => donor.path !== path);
  }
  return open(others);
}

/** As `readingWith`, of an installed model: as was said when it was added, with the parts of others that are installed. */
export function readingOfInstalled(modelsDir: string, name: string, path: string): Promise<CheckpointReading> {
  const reading = readReadings(modelsDir).get(name) ?? plainReading;
  return readingWith(path, reading, [() => installedDonors(modelsDir)]);
}

/** What a look at a file says of it. */
export type LackingModel = Pick<FoundKind, 'problem' | 'lacksParts'>;

/** The model as it is, or without its problem where `donors` give the parts that it lacks. */
export async function withoutPartsProblem<T extends LackingModel>(
  model: T,
  path: string,
  reading: ModelReading,
  donors: Parameters<typeof readingWith>[2],
): Promise<T> {
  if (model.lacksParts !== true) return model;
  try {
    await readingWith(path, reading, donors);
    return { ...model, problem: null };
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    return model;
  }
}
