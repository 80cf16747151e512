// The file beside a cached inversion. Reading it checks for another version, a cut file, or a flipped bit.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  FieldError,
  count,
  integer,
  list,
  nullable,
  number,
  object,
  parse,
  text,
  type Infer,
  type ObjectOf,
} from '../../../../protocol/fields.ts';

/** Raised when older entries cannot be read any more. */
const entryVersion = 5;

/** This program wrote it, so its length is not limited here. */
const anyText = text({ max: Number.MAX_SAFE_INTEGER });

/** What a cached inversion contains, for users to read. */
const inversionFacts = object({
  clipSha256: anyText,
  /** Frames of the clip: the first, and one after the last. */
  startFrame: count,
  endFrame: count,
  /** In pixels. */
  workingSize: object({ width: count, height: count }),
  /** The requested number; a calibration may have chosen more. */
  inversionSteps: count,
  /** Sampling steps that it serves. */
  steps: count,
  sourcePrompt: anyText,
  /** Name of the checkpoint's folder. */
  model: anyText,
});
export type InversionFacts = Infer<typeof inversionFacts>;

/** The facts that an inversion has found about its clip; an edit that uses it again needs them. */
const sourceAnalysis = object({
  /** First frames of the scenes but the first, counted among the frames that are edited. */
  cuts: list(count, Number.MAX_SAFE_INTEGER, 'frames'),
  /** Forwards of a frame that the whole inversion takes. */
  inversionSteps: count,
  /** In decibels; null where it was not measured. */
  reconstructionPsnr: nullable(number(-Number.MAX_VALUE, Number.MAX_VALUE)),
  /** Where its frames were missing or damaged, as `DecodingDamage`; null where they were not. */
  damage: nullable(object({ missing: count, errors: count })),
});
export type SourceAnalysis = Infer<typeof sourceAnalysis>;

const entryFields = {
  facts: inversionFacts,
  analysis: sourceAnalysis,
  /** The first sampling step whose latents are kept. */
  startStep: count,
  /** Of the latents. */
  sizeBytes: count,
  sha256: anyText,
  /** UTC. */
  createdAt: anyText,
};
export type InversionEntry = ObjectOf<typeof entryFields>;

const entryOnDisk = object({ version: integer(entryVersion, entryVersion), ...entryFields });

const entryFile = 'entry.json';
const latentsFile = 'latents';

export function entryPath(folder: string): string {
  return path.join(folder, entryFile);
}

export function latentsPath(folder: string): string {
  return path.join(folder, latentsFile);
}

export function formatEntry(entry: InversionEntry): string {
  return `${JSON.stringify({ version: entryVersion, ...entry }, null, 2)}\n`;
}

/** The entry in `folder`; null when it is missing, damaged or of another version. */
export async function readEntry(folder: string): Promise<InversionEntry | null> {
  try {
    const json: unknown = JSON.parse(await readFile(entryPath(folder), 'utf8'));
    const { facts, analysis, startStep, sizeBytes, sha256, createdAt } = parse(entryOnDisk, json, 'entry');
    return { facts, analysis, startStep, sizeBytes, sha256, createdAt };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error;
    if (error instanceof FieldError || error instanceof SyntaxError || isMissing) return null;
    throw error;
  }
}
