// How the user wants checkpoints read that do not say everything themselves: kept beside the models, by their names, so that
// whoever names a model need not say it again.

import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import {
  FieldError,
  nullable,
  object,
  oneOf,
  parse,
  recordOf,
  text,
  where,
  type Infer,
} from '../../../protocol/fields.ts';
import { EditError } from '../errors.ts';
import type { PartDonor } from '../families/family.ts';
import { writeWhole } from '../files/write-whole.ts';
import { isFile } from '../weights/checkpoint-file.ts';
import { embeddedModelDir, findInstalledModels } from './installed-models.ts';
import { isCheckpointFolder, listPulledOf, modelDir } from './models-folder.ts';

const readingsName = 'readings.json';
const maxReadings = 10_000;

const readingSchema = object({
  /** Absolute path of the folder or file that gives the parts which a checkpoint in one file lacks; null for none. */
  parts: nullable(
    where(text({ min: 1, max: 10_000 }), (path) => (isAbsolute(path) ? undefined : 'must be a whole path')),
  ),
  /** What the network predicts; null to believe the checkpoint. */
  prediction: nullable(oneOf(['epsilon', 'v_prediction'])),
});
export type ModelReading = Infer<typeof readingSchema>;

const readingsSchema = recordOf(readingSchema, maxReadings, 'models');

/** A checkpoint is believed, and nothing is named for it. */
export const plainReading: ModelReading = { parts: null, prediction: null };

/** Of models by their names. Throws EditError('model-damaged') when the list cannot be read. */
export function readReadings(modelsDir: string): ReadonlyMap<string, ModelReading> {
  const path = join(modelsDir, readingsName);
  if (!existsSync(path)) return new Map();
  try {
    return new Map(Object.entries(parse(readingsSchema, JSON.parse(readFileSync(path, 'utf8')), 'readings')));
  } catch (error) {
    if (!(error instanceof FieldError || error instanceof SyntaxError)) throw error;
    throw new EditError('model-damaged', `${path}: ${error.message}`, {
      hint: 'Delete the file, and add the models again with --parts and --prediction.',
      cause: error,
    });
  }
}

/** Keeps how a model is read, or forgets it where that is `plainReading`. The folder exists. */
export async function keepReading(modelsDir: string, name: string, reading: ModelReading): Promise<void> {
  const readings = new Map(readReadings(modelsDir));
  const isPlain = reading.parts === null && reading.prediction === null;
  if (isPlain && !readings.has(name)) return;
  if (isPlain) readings.delete(name);
  else readings.set(name, reading);
  await writeWhole(join(modelsDir, readingsName), `${JSON.stringify(Object.fromEntries(readings), null, 2)}\n`);
}

/** A folder has all its parts. Throws EditError('invalid-request') where parts are named for one. */
export async function requireUseOfParts(path: string, { parts }: ModelReading): Promise<void> {
  if (parts === null || (await isFile(path))) return;
  throw new EditError('invalid-request', '--parts is for a checkpoint in one file; this one is a folder.', {
    hint: 'Leave out --parts: a folder has a VAE and text encoders of its own.',
  });
}

/**
 * Installed folders that may give a part: checkpoints, then downloaded VAEs. Not the embedded model: its VAE and text encoder
 * are of its own kind.
 */
export function installedDonors(modelsDir: string): readonly PartDonor[] {
  const checkpoints = [...findInstalledModels(modelsDir)]
    .filter(([, path]) => isCheckpointFolder(path) && path !== embeddedModelDir)
    .map(([name, path]) => ({ name, path }));
  const vaes = listPulledOf(modelsDir, 'vae').map((name) => ({ name, path: modelDir(modelsDir, name, 'vae') }));
  return [...checkpoints, ...vaes];
}
