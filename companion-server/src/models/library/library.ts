// The models that a server offers: its own, and what the scan of the machine finds. Clients know names; paths are looked up
// here. A name that is not known makes the library look again, so that a new file needs no restart.

import { readFile, stat } from 'node:fs/promises';
import { listLimits } from '../../../../protocol/limits.ts';
import type { ModelLists } from '../../../../protocol/messages/session-messages.ts';
import type { ModelFolder, ModelInfo } from '../../../../protocol/model-info.ts';
import { CanceledError, EditError } from '../../errors.ts';
import { readCatalog } from '../catalog.ts';
import type { CatalogModel } from '../catalog-file.ts';
import type { PartDonor } from '../../families/family.ts';
import type { CheckpointReading } from '../../families/open-checkpoint.ts';
import { installedDonors, plainReading, readReadings, type ModelReading } from '../readings.ts';
import { samplePath } from '../vocabulary-file.ts';
import { describeFound, describeOwn } from './describe.ts';
import { openFactCache, type FactCache } from './fact-cache.ts';
import type { KindOf, Machine, ModelKind } from './found.ts';
import { kindOf as kindOfFile } from './kind-of.ts';
import { longNameOf, nameFound, type Named } from './names.ts';
import { findOwnModels, pulledFolders, type OwnModel } from './own-models.ts';
import { readingWith, withoutPartsProblem, type LackingModel } from './parts.ts';
import { readAddedFolders } from './added-folders.ts';
import { scanMachine, type FoundModel } from './scan.ts';
import type { WalkLimits } from './walk.ts';

export interface LibraryOptions {
  /** Models that are there whatever the scan finds, by name: the default first. Folders, or files. */
  readonly first: ReadonlyMap<string, string>;
  /** The models folder; null to offer `first` only. */
  readonly modelsDir: string | null;
  /** Whose programs are looked for; null to look for none. */
  readonly machine: Machine | null;
  /** Where it is noted what files are; null for nowhere. */
  readonly cacheDir: string | null;
  /** How models are read, by name, before what was said when they were added. */
  readonly readings?: ReadonlyMap<string, ModelReading> | undefined;
  readonly catalog?: readonly CatalogModel[];
  readonly kindOf?: KindOf;
  readonly limits?: WalkLimits;
  /** Called with what went wrong when notes about files could not be written. */
  readonly onUnkept?: (error: unknown) => void;
}

/** What there is, without what could be downloaded. */
export type FoundLists = Pick<ModelLists, 'models' | 'loras' | 'notices' | 'folders'>;

export interface Library {
  /** Looks at the machine. A look that began before the call is not enough for it: another one follows. */
  refresh(): Promise<void>;
  /** Models that a job may use, as far as they are known by now; the default first. */
  usableModels(): readonly ModelInfo[];
  /** Everything that is known by now. */
  lists(): FoundLists;
  /** What the scan found, by name, with paths: not for clients. */
  found(): readonly Named<FoundModel>[];
  /**
   * The folder or file of a model; null for the default. Looks again for a name that is not known. Throws EditError:
   * 'model-missing' for what is not there, 'model-unsupported' with the reason for what cannot be used.
   */
  pathOfModel(id: string | null): Promise<string>;
  /**
   * How the model at that path is read: as the user said, with parts of the first installed or found checkpoint that fits
   * where it lacks some. Throws EditError as `pathOfModel` and `openCheckpoint` do.
   */
  readingOf(id: string | null): Promise<CheckpointReading>;
  /** The bytes of a sample clip of a practice model. Throws EditError 'model-missing', 'invalid-request'. */
  readSample(modelId: string, sample: string): Promise<Uint8Array>;
  /** The file of a LoRA, VAE, embedding or ControlNet by its name. Throws EditError 'adapter-missing', 'adapter-unsupported'. */
  pathOf(kind: Exclude<ModelKind, 'checkpoint'>, name: string): Promise<string>;
  /** Resolves when a look that runs has ended. */
  settled(): Promise<void>;
  /** Embeddings whose names are in one of the prompts, in any case of letters. */
  embeddingsIn(prompts: readonly string[]): readonly { readonly word: string; readonly file: string }[];
  /** Ends a look that runs. */
  close(): Promise<void>;
}

interface Known {
  readonly own: readonly OwnModel[];
  readonly found: readonly Named<FoundModel>[];
  readonly notices: readonly string[];
  readonly folders: readonly ModelFolder[];
}

const titles: Readonly<Record<ModelKind, string>> = {
  checkpoint: 'model',
  lora: 'LoRA',
  vae: 'VAE',
  embedding: 'embedding',
  controlnet: 'ControlNet',
};

export function createLibrary(options: LibraryOptions): Library {
  const {
    first,
    modelsDir,
    machine,
    readings = new Map<string, ModelReading>(),
    catalog = readCatalog(),
    kindOf = kindOfFile,
    onUnkept = () => undefined,
  } = options;
  const ending = new AbortController();
  const { signal } = ending;
  let known: Known = { own: findOwnModels(first, modelsDir, catalog).models, found: [], notices: [], folders: [] };
  let cache: Promise<FactCache> | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function look(): Promise<void> {
    const facts = await (cache ??= openFactCache(options.cacheDir, kindOf));
    const { models, notices } = findOwnModels(first, modelsDir, catalog);
    const own: OwnModel[] = [];
    for (const model of models) own.push(machine === null ? model : await model.examined(facts.kindOf));
    const added = readFolders(modelsDir, notices);
    const scanned = await scanMachine({
      machine,
      ownFolders: modelsDir === null ? [] : pulledFolders(modelsDir),
      addedFolders: added,
      kindOf: facts.kindOf,
      listed: own.flatMap(({ realPath }) => (realPath === null ? [] : [realPath])),
      limits: options.limits,
      signal,
    });
    const taken = new Set([...own.map(({ id }) => id), ...catalog.map(({ id }) => id)]);
    const found = (Object.keys(titles) as ModelKind[]).flatMap((kind) =>
      nameFound(
        scanned.models.filter((model) => model.kind === kind),
        kind === 'checkpoint' ? taken : new Set(),
      ),
    );
    known = await withParts({ own, found, notices: [...notices, ...scanned.notices], folders: scanned.folders });
    await facts.keep().catch(onUnkept);
  }

  /** The models, and which of those that lack parts can be used with the parts of others. */
  async function withParts({ own, found, notices, folders }: Known): Promise<Known> {
    const donors = [() => [...ownDonors(), ...foundDonors(found)]];
    const examined = <T extends LackingModel>(model: T, path: string, id: string): Promise<T> =>
      withoutPartsProblem(model, path, readingFor(id), donors);
    return {
      own: await Promise.all(own.map((model) => examined(model, model.path, model.id))),
      found: await Promise.all(
        found.map(async ({ id, item }) => ({ id, item: await examined(item, item.file.path, id) })),
      ),
      notices,
      folders,
    };
  }

  function ownDonors(): readonly PartDonor[] {
    return modelsDir === null ? [] : installedDonors(modelsDir);
  }

  function readingFor(id: string): ModelReading {
    return readings.get(id) ?? (modelsDir === null ? undefined : readReadings(modelsDir).get(id)) ?? plainReading;
  }

  function refresh(): Promise<void> {
    if (running === undefined) {
      running = look().finally(() => (running = undefined));
      return running;
    }
    const after = running.catch(() => undefined);
    next ??= after.then(() => {
      next = undefined;
      return refresh();
    });
    return next;
  }

  function named(kind: ModelKind, name: string): readonly Named<FoundModel>[] {
    const all = known.found.filter(({ item }) => item.kind === kind);
    const exact = all.filter(({ id }) => id === name);
    if (exact.length > 0) return exact;
    const long = all.filter(({ item }) => longNameOf(item) === name);
    return long.length > 0 ? long : all.filter(({ item }) => item.name === name);
  }

  /** The one file of this name; undefined when there is none. */
  function find(kind: ModelKind, name: string): FoundModel | undefined {
    const [one, other] = named(kind, name);
    if (other === undefined || one === undefined) return one?.item;
    const names = named(kind, name).map(({ id }) => id);
    throw new EditError(
      codes(kind).missing,
      `There are ${names.length} ${titles[kind]}s '${name}': ${names.join(', ')}.`,
      {
        hint: 'Use the long name of the one that you mean.',
      },
    );
  }

  async function pathOfFound(kind: ModelKind, name: string): Promise<string | undefined> {
    const before = find(kind, name);
    if (before !== undefined && (await exists(before.file.path))) return usablePath(before, name);
    await refresh();
    const after = find(kind, name);
    return after === undefined ? undefined : usablePath(after, name);
  }

  function usablePath({ kind, problem, lacksParts, file }: FoundModel, name: string): string {
    // The parts may be there by now: `readingOf` looks.
    if (problem === null || lacksParts === true) return file.path;
    throw new EditError(codes(kind).unsupported, `The ${titles[kind]} '${name}' cannot be used. ${problem}`, {
      hint: 'Choose another one; docs/models.md says what is supported.',
    });
  }

  function missing(kind: ModelKind, name: string): EditError {
    const own = kind === 'checkpoint' ? known.own.map(({ id }) => id) : [];
    const usable = known.found.filter(({ item }) => item.kind === kind && item.problem === null);
    const names = [...own, ...usable.map(({ id }) => id)];
    const has = names.length === 0 ? 'none' : names.slice(0, maxNamed).join(', ');
    const rest = names.length > maxNamed ? `, and ${names.length - maxNamed} more` : '';
    return new EditError(
      codes(kind).missing,
      `The server has no ${titles[kind]} named '${name}'; it has ${has}${rest}.`,
      {
        hint: 'npm run models shows what there is, and where it was looked for.',
      },
    );
  }

  return {
    refresh,
    usableModels: () => listModels(known).filter(({ problem }) => problem === null),
    lists() {
      const loras = known.found
        .filter(({ item }) => item.kind === 'lora')
        .map(({ id, item }) => ({ name: id, ...describeFound(item, id, catalog) }));
      const models = listModels(known);
      const notices = known.notices.map((notice) => notice.slice(0, 500));
      const lists = { models, loras: usableFirst(loras) };
      for (const [name, list] of Object.entries(lists)) {
        if (list.length > listLimits.models)
          notices.unshift(`Of ${list.length} ${name}, ${listLimits.models} are listed.`);
      }
      return {
        models: lists.models.slice(0, listLimits.models),
        loras: lists.loras.slice(0, listLimits.models),
        notices: notices.slice(0, listLimits.notices),
        folders: known.folders.slice(0, listLimits.folders),
      };
    },
    found: () => known.found,
    async pathOfModel(id) {
      const own = ownPath(id);
      if (own !== undefined) return own;
      if (id === null) {
        throw new EditError('model-missing', 'The server has no model.', {
          hint: 'Download one with npm run models -- pull ID, or name one with --model.',
        });
      }
      const path = await pathOfFound('checkpoint', id);
      // A model that was pulled or added since the last look.
      const found = path ?? ownPath(id);
      if (found === undefined) throw missing('checkpoint', id);
      return found;
    },
    async readingOf(id) {
      const path = await this.pathOfModel(id);
      const name = id ?? known.own[0]?.id ?? '';
      const found = async (): Promise<readonly PartDonor[]> => {
        if (machine === null) return [];
        await refresh();
        return foundDonors(known.found);
      };
      return readingWith(path, readingFor(name), [ownDonors, found]);
    },
    async readSample(modelId, sample) {
      const path = ownPath(modelId);
      if (path === undefined) throw missing('checkpoint', modelId);
      return readFile(samplePath(path, sample));
    },
    async pathOf(kind, name) {
      const path = await pathOfFound(kind, name);
      if (path === undefined) throw missing(kind, name);
      return path;
    },
    async settled() {
      await running?.catch(() => undefined);
    },
    embeddingsIn(prompts) {
      const texts = prompts.map((prompt) => prompt.toLowerCase());
      return known.found
        .filter(({ item }) => item.kind === 'embedding' && item.problem === null)
        .filter(({ item }) => texts.some((text) => text.includes(item.name.toLowerCase())))
        .map(({ item }) => ({ word: item.name, file: item.file.path }));
    },
    async close() {
      ending.abort(new CanceledError());
      await Promise.allSettled([running, next]);
    },
  };

  function ownPath(id: string | null): string | undefined {
    return (id === null ? known.own[0] : known.own.find((model) => model.id === id))?.path;
  }

  function listModels({ own, found }: Known): readonly ModelInfo[] {
    const others = found
      .filter(({ item }) => item.kind === 'checkpoint')
      .map(({ id, item }) => ({ id, ...describeFound(item, id, catalog), vocabulary: null }));
    return usableFirst([...own.map((model) => describeOwn(model)), ...others]);
  }
}

/** Whole folders that the scan found. */
function foundDonors(found: readonly Named<FoundModel>[]): readonly PartDonor[] {
  return found
    .filter(({ item }) => item.kind === 'checkpoint' && item.file.isFolder && item.problem === null)
    .map(({ id, item }) => ({ name: id, path: item.file.path }));
}

function codes(kind: ModelKind) {
  return kind === 'checkpoint'
    ? ({ missing: 'model-missing', unsupported: 'model-unsupported' } as const)
    : ({ missing: 'adapter-missing', unsupported: 'adapter-unsupported' } as const);
}

/** Names in an error. */
const maxNamed = 12;

function usableFirst<T extends { readonly problem: string | null }>(all: readonly T[]): readonly T[] {
  return [...all.filter(({ problem }) => problem === null), ...all.filter(({ problem }) => problem !== null)];
}

function readFolders(modelsDir: string | null, notices: string[]): readonly string[] {
  if (modelsDir === null) return [];
  try {
    return readAddedFolders(modelsDir);
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    notices.push(
      'The list of added folders cannot be read: delete folders.json in the models folder, and add them again.',
    );
    return [];
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
