// The folder of models below the data folder: one folder per downloaded checkpoint, references to others, and a
// hidden place for downloads that are not finished.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { EditError } from '../errors.ts';
import { writeWhole } from '../files/write-whole.ts';
import { lockFile } from '../store/database.ts';
import type { CatalogKind } from './catalog-file.ts';
import { complainAboutModelName } from './file-names.ts';
import { pulledRecordName } from './manifest.ts';

const referencesName = 'references.json';

/** The folder of a model that is being downloaded. */
export function stagingDir(modelsDir: string, id: string): string {
  return join(modelsDir, '.pulling', id);
}

/**
 * Runs `work` while no other process downloads or removes this model. Throws EditError 'invalid-request' when one does.
 * No model's name has a tilde.
 */
export async function withModelLock<T>(modelsDir: string, id: string, work: () => Promise<T>): Promise<T> {
  const path = join(modelsDir, '.pulling', `${id}~lock`);
  const release = lockFile(path, `${id} is being pulled or removed already.`, 'Wait until it is done.');
  try {
    return await work();
  } finally {
    release();
  }
}

/** A name in the models folder that nothing else has, for what is about to be deleted. */
export function discardDir(modelsDir: string, id: string): string {
  return join(modelsDir, '.pulling', `${id}~removed-${process.pid}-${Date.now()}`);
}

/** Whether a name in the hidden folder is one of `discardDir`. */
export function isDiscarded(name: string): boolean {
  return /~removed-\d+-\d+$/.test(name);
}

/** Folders of what is no checkpoint, below the models folder. */
const folderOfKind: Readonly<Record<Exclude<CatalogKind, 'checkpoint'>, string>> = {
  lora: 'loras',
  vae: 'vaes',
  decoder: 'decoders',
};

/** Where a downloaded model is: checkpoints by their names, other kinds in a folder of their kind. */
export function modelDir(modelsDir: string, id: string, kind: CatalogKind = 'checkpoint'): string {
  return kind === 'checkpoint' ? join(modelsDir, id) : join(modelsDir, folderOfKind[kind], id);
}

/** Names of the models of another kind than checkpoints that were downloaded, sorted. */
export function listPulledOf(modelsDir: string, kind: Exclude<CatalogKind, 'checkpoint'>): readonly string[] {
  const dir = join(modelsDir, folderOfKind[kind]);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => complainAboutModelName(name) === undefined)
    .filter((name) => existsSync(join(dir, name, pulledRecordName)))
    .sort();
}

/** Names of the whole checkpoints in the folder, sorted. */
export function listModelFolders(modelsDir: string): readonly string[] {
  if (!existsSync(modelsDir)) return [];
  return readdirSync(modelsDir)
    .filter((name) => complainAboutModelName(name) === undefined)
    .filter((name) => isCheckpointFolder(join(modelsDir, name)))
    .sort();
}

/** Names of models whose download was begun and is not finished. */
export function listStaged(modelsDir: string): readonly string[] {
  const dir = join(modelsDir, '.pulling');
  if (!existsSync(dir)) return [];
  return readdirSync(dir).filter((name) => complainAboutModelName(name) === undefined);
}

/** Whether it is a checkpoint folder, or any file: whoever adds one looks into it. */
export function isCheckpointPath(path: string): boolean {
  return isCheckpointFolder(path) || (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** Bytes of a download that is not finished. */
export function stagedBytes(modelsDir: string, id: string): number {
  const dir = stagingDir(modelsDir, id);
  if (!existsSync(dir)) return 0;
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

export function isCheckpointFolder(dir: string): boolean {
  return existsSync(join(dir, 'model_index.json'));
}

/** Folders and files that were added by reference, by name. Throws EditError 'model-damaged' when the list cannot be read. */
export function readReferences(modelsDir: string): ReadonlyMap<string, string> {
  const path = join(modelsDir, referencesName);
  if (!existsSync(path)) return new Map();
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) throw new Error('must be an object');
    return new Map(Object.entries(value).sort().map(readReference));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError('model-damaged', `${path}: ${reason}.`, {
      hint: 'Delete the file, and add the folders again.',
      cause: error,
    });
  }
}

function readReference([name, dir]: [string, unknown]): [string, string] {
  const complaint = complainAboutModelName(name);
  if (complaint !== undefined) throw new Error(`a name ${complaint}`);
  if (typeof dir !== 'string' || !isAbsolute(dir)) throw new Error(`${name} must be a whole path`);
  return [name, dir];
}

export async function writeReferences(modelsDir: string, references: ReadonlyMap<string, string>): Promise<void> {
  await writeWhole(join(modelsDir, referencesName), `${JSON.stringify(Object.fromEntries(references), null, 2)}\n`);
}
