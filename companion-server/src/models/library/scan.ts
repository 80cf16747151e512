// One look at all places: which files there are, and what each of them is. Only names, sizes and headers are read; nothing
// is written or copied. What cannot be read is named and left out.

import { realpath, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { ModelFolder, ModelSource } from '../../../../protocol/model-info.ts';
import { createTurns } from '../../../../protocol/turns.ts';
import { throwIfCanceled } from '../../errors.ts';
import type { Complain, FolderRole, FoundFile, FoundKind, KindOf, Machine, ModelKind, PlaceFolder } from './found.ts';
import { weightEndings } from './kind-of.ts';
import { findPlaces, type Place } from './places.ts';
import { createBudget, faultOf, walk, walkLimits, type WalkBudget, type WalkLimits } from './walk.ts';

/** A file that the library lists. */
export interface FoundModel {
  readonly kind: ModelKind;
  readonly source: ModelSource;
  /** The program or folder where it lies, for users. */
  readonly place: string;
  /** Below the place, with forward slashes; empty for none. */
  readonly folder: string;
  /** `owner/name` of a hub's repository, else the name of the file without its ending, or of the folder. */
  readonly name: string;
  /** Of the repository that it is from; null when unknown. */
  readonly repository: string | null;
  readonly file: FoundFile;
  readonly family: string | null;
  readonly problem: string | null;
  /** As of FoundKind. */
  readonly lacksParts?: boolean | undefined;
}

export interface Scan {
  readonly models: readonly FoundModel[];
  /** What could not be looked at, a sentence each. */
  readonly notices: readonly string[];
  /** Places that were looked into. */
  readonly folders: readonly ModelFolder[];
}

export interface ScanOptions {
  /** Null to look at `ownFolders` only. */
  readonly machine: Machine | null;
  /** Folders of the program's own downloads. */
  readonly ownFolders?: readonly PlaceFolder[];
  readonly addedFolders: readonly string[];
  readonly kindOf: KindOf;
  /** Real paths of files that are listed elsewhere. */
  readonly listed?: readonly string[];
  readonly limits?: WalkLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

const maxTitleCharacters = 200;

/** Headers that are read at a time. */
const headersAtOnce = 4;

/** Throws CanceledError; nothing that is wrong with a file or folder. */
export async function scanMachine(options: ScanOptions): Promise<Scan> {
  const notices = new Set<string>();
  const complain: Complain = (notice) => void notices.add(notice);
  const models: FoundModel[] = [];
  const seen = new Set(options.listed);
  const { machine, addedFolders, ownFolders = [] } = options;
  const others = machine === null ? [] : await findPlaces(machine, addedFolders, complain);
  models.push(...(await scanPlace({ title: 'Downloaded', folders: ownFolders }, seen, complain, options)));
  const folders: ModelFolder[] = [];
  for (const place of others) {
    const found = await scanPlace(place, seen, complain, options);
    models.push(...found);
    const listed = found.filter(({ kind }) => kind === 'checkpoint' || kind === 'lora');
    const [{ source } = { source: 'folder' as const }] = place.folders;
    folders.push({ source, title: place.title.slice(0, maxTitleCharacters) || '/', models: listed.length });
  }
  return { models, notices: [...notices], folders };
}

interface Candidate {
  readonly folder: PlaceFolder;
  readonly file: FoundFile;
  /** Folders between the place's folder and the file. */
  readonly below: string;
}

async function scanPlace(
  place: Place,
  seen: Set<string>,
  complain: Complain,
  options: ScanOptions,
): Promise<readonly FoundModel[]> {
  const budget = createBudget(options.limits ?? walkLimits);
  const candidates: Candidate[] = [];
  for (const folder of place.folders) {
    if (budget.exceeded !== null) break;
    candidates.push(...(await candidatesIn(folder, place, { budget, seen, complain, options })));
  }
  if (budget.exceeded !== null) complain(`${place.title}: ${budget.exceeded}.`);
  const turns = createTurns(headersAtOnce);
  const kinds = candidates.map(({ file }) =>
    turns.take(() => {
      throwIfCanceled(options.signal);
      return options.kindOf(file);
    }),
  );
  const known = await Promise.all(kinds);
  return candidates.flatMap((candidate, index) => {
    const model = toModel(place, candidate, candidates, known[index] as FoundKind);
    return model === null ? [] : [model];
  });
}

interface Look {
  readonly budget: WalkBudget;
  /** Real paths that are listed already. */
  readonly seen: Set<string>;
  readonly complain: Complain;
  readonly options: ScanOptions;
}

async function candidatesIn(
  folder: PlaceFolder,
  { title }: Place,
  { budget, seen, complain, options: { signal } }: Look,
): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  const label = folder.named ?? folder.label;
  const onFault = (below: string, fault: string): void =>
    complain(`${title}, ${[label, below].filter((part) => part !== '').join('/')}: ${fault}.`);
  for await (const { path, below } of walk(folder.dir, { endings: weightEndings, budget, onFault, signal })) {
    try {
      const file = await factsOfFile(path, folder.role, signal);
      if (seen.has(file.realPath)) continue;
      seen.add(file.realPath);
      found.push({ folder, below, file });
    } catch (error) {
      // A file that has gone since its name was read is simply not there.
      const fault = faultOf(error);
      if (fault !== null) onFault(below === '' ? basename(path) : `${below}/${basename(path)}`, fault);
    }
  }
  return found;
}

/** The facts about a file, or a checkpoint's folder. Throws the system's error, and CanceledError. */
export async function factsOfFile(path: string, role: FolderRole, signal?: AbortSignal): Promise<FoundFile> {
  const [stats, realPath] = [await stat(path), await realpath(path)];
  const isFolder = stats.isDirectory();
  const facts = isFolder ? await folderFacts(path, signal) : { sizeBytes: stats.size, changedMs: stats.mtimeMs };
  return { path, realPath, isFolder, role, ...facts };
}

/** A checkpoint has a few dozen files; those that cannot be read are found when it is opened. */
const folderLimits: WalkLimits = { maxNames: 1_000, maxDepth: 4, maxMs: 5_000 };

/** Of all files in a folder: the sum of their sizes, and the newest change. */
async function folderFacts(dir: string, signal?: AbortSignal): Promise<Pick<FoundFile, 'sizeBytes' | 'changedMs'>> {
  let [sizeBytes, changedMs] = [0, 0];
  const options = {
    endings: [''],
    budget: createBudget(folderLimits),
    onFault: () => undefined,
    isWhole: true,
    signal,
  };
  for await (const { path } of walk(dir, options)) {
    const stats = await stat(path);
    sizeBytes += stats.size;
    changedMs = Math.max(changedMs, stats.mtimeMs);
  }
  return { sizeBytes, changedMs };
}

function toModel(
  place: Place,
  { folder, file, below }: Candidate,
  all: readonly Candidate[],
  { kind, family, problem, lacksParts }: FoundKind,
): FoundModel | null {
  if (kind === null) return null;
  const { source, label, named, repository = null } = folder;
  const own = basename(file.path);
  const bare = file.isFolder ? own : own.slice(0, own.length - extname(own).length);
  const isAlone = (): boolean => file.isFolder || all.filter((other) => other.folder === folder).length === 1;
  const name = named === undefined ? bare : isAlone() ? named : `${named}/${bare}`;
  const parts = named === undefined ? [label, below] : [below];
  return {
    kind,
    source,
    place: place.title,
    folder: parts.filter((part) => part !== '').join('/'),
    name,
    repository,
    file,
    family,
    problem,
    lacksParts,
  };
}
