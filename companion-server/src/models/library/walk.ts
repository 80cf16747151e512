// Finds files of weights and checkpoint folders below a folder. Links are followed as the programs that own the folders
// follow them; a folder that was seen already, as in a loop of links, is not entered again. Nothing is written.

import type { Dirent } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfCanceled } from '../../errors.ts';

/** Bounds of one place. */
export interface WalkLimits {
  /** Names that are looked at. */
  readonly maxNames: number;
  /** Folders inside each other. */
  readonly maxDepth: number;
  readonly maxMs: number;
}

export const walkLimits: WalkLimits = { maxNames: 30_000, maxDepth: 8, maxMs: 15_000 };

export interface WalkOptions {
  /** File endings that are looked for, in lower case, with their dots. */
  readonly endings: readonly string[];
  /** What was used of the limits; shared by all folders of a place. */
  readonly budget: WalkBudget;
  /** Takes what could not be read, as the end of a sentence; `below` is the folder below the one that is walked. */
  readonly onFault: (below: string, fault: string) => void;
  /** Also the files inside checkpoint folders, instead of the folders. */
  readonly isWhole?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is left of the limits. */
export interface WalkBudget {
  /** Counts a name. False when no more may be looked at. */
  take(): boolean;
  readonly maxDepth: number;
  /** The limit that ended the walk, as the end of a sentence; null while none did. */
  readonly exceeded: string | null;
}

/** @param now milliseconds that only grow */
export function createBudget({ maxNames, maxDepth, maxMs }: WalkLimits, now: () => number = Date.now): WalkBudget {
  const started = now();
  let names = 0;
  let exceeded: string | null = null;
  return {
    maxDepth,
    get exceeded() {
      return exceeded;
    },
    take() {
      names++;
      if (names > maxNames) exceeded ??= `has more than ${maxNames} files and folders; the rest is not listed`;
      else if (now() - started > maxMs)
        exceeded ??= `takes longer than ${maxMs / 1000} s to read; the rest is not listed`;
      return exceeded === null;
    },
  };
}

export interface WalkedFile {
  /** Absolute. */
  readonly path: string;
  /** Folders between the start and the file, with forward slashes; empty for none. */
  readonly below: string;
  readonly isCheckpointFolder: boolean;
}

/** In the order of names within each folder, files before folders. Throws CanceledError. */
export async function* walk(dir: string, options: WalkOptions): AsyncGenerator<WalkedFile> {
  yield* walkFolder(dir, '', 0, new Set(), options);
}

async function* walkFolder(
  dir: string,
  below: string,
  depth: number,
  seen: Set<string>,
  options: WalkOptions,
): AsyncGenerator<WalkedFile> {
  const { endings, budget, onFault, signal } = options;
  throwIfCanceled(signal);
  const names = await readFolder(dir, seen, budget, (fault) => onFault(below, fault));
  if (options.isWhole !== true && names.some(({ name }) => name === 'model_index.json')) {
    yield { path: dir, below: parentOf(below), isCheckpointFolder: true };
    return;
  }
  const folders: string[] = [];
  for (const entry of names) {
    const path = join(dir, entry.name);
    const kind = await kindOfEntry(entry, path);
    if (kind === 'folder') folders.push(entry.name);
    else if (kind === 'file' && endings.some((ending) => entry.name.toLowerCase().endsWith(ending))) {
      yield { path, below, isCheckpointFolder: false };
    }
  }
  for (const name of folders) {
    if (budget.exceeded !== null) return;
    const inside = below === '' ? name : `${below}/${name}`;
    if (depth + 1 > budget.maxDepth) onFault(inside, `is more than ${budget.maxDepth} folders deep and is not listed`);
    else yield* walkFolder(join(dir, name), inside, depth + 1, seen, options);
  }
}

/** The names in a folder that are not hidden, sorted; none for a folder that was read before, or cannot be read. */
async function readFolder(
  dir: string,
  seen: Set<string>,
  budget: WalkBudget,
  onFault: (fault: string) => void,
): Promise<readonly Dirent[]> {
  const names: Dirent[] = [];
  try {
    const real = await realpath(dir);
    if (seen.has(real)) return [];
    seen.add(real);
    for await (const entry of await opendir(dir)) {
      if (entry.name.startsWith('.')) continue;
      if (!budget.take()) break;
      names.push(entry);
    }
  } catch (error) {
    const fault = faultOf(error);
    if (fault !== null) onFault(fault);
  }
  return names.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function kindOfEntry(entry: Dirent, path: string): Promise<'file' | 'folder' | null> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return null;
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return 'folder';
    return stats.isFile() ? 'file' : null;
  } catch {
    // A link that leads nowhere, or in a circle, is nothing that could be listed.
    return null;
  }
}

/** Why a folder or file cannot be read, as the end of a sentence; null for one that is not there. */
export function faultOf(error: unknown): string | null {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  if (code === 'EACCES' || code === 'EPERM') return 'there is no permission to read it';
  if (code === 'ELOOP') return 'its links lead in a circle';
  if (code === 'EMFILE' || code === 'ENFILE') return 'too many files are open on this machine';
  if (code === undefined) throw error;
  return `cannot be read (${code})`;
}

function parentOf(below: string): string {
  return below.split('/').slice(0, -1).join('/');
}
