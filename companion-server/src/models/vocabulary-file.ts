// The words of a practice model and its sample clips, in a file of the model's folder. A model of ordinary language has none.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '../../../protocol/fields.ts';
import { modelVocabulary, sampleFileName, type ModelVocabulary } from '../../../protocol/vocabulary.ts';
import { EditError } from '../errors.ts';

const fileName = 'vocabulary.json';

/** Null where the model has none. Throws EditError 'model-damaged' for a file that is not as it should be. */
export function readVocabulary(modelPath: string): ModelVocabulary | null {
  const path = join(modelPath, fileName);
  if (!existsSync(path)) return null;
  try {
    return parse(modelVocabulary, JSON.parse(readFileSync(path, 'utf8')), 'vocabulary');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError('model-damaged', `${path}: ${reason}`, { cause: error });
  }
}

/**
 * The file of a sample clip. Only names of the model's own list lead to a file. Throws EditError 'invalid-request' for
 * another name.
 */
export function samplePath(modelPath: string, name: string): string {
  const samples = readVocabulary(modelPath)?.samples ?? [];
  const sample = samples.find((one) => one.name === name);
  if (sample !== undefined) return join(modelPath, 'samples', sampleFileName(sample));
  throw new EditError('invalid-request', `The model has no sample clip '${name}'.`, {
    hint: samples.length === 0 ? 'It has none.' : `It has ${samples.map((one) => one.name).join(', ')}.`,
  });
}
