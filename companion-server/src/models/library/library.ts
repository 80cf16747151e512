// The models that a server offers: its own, and what the scan of the machine finds. Clients know names; paths are looked up
// here. A name that is not known makes the library look again, so that a new file needs no restart.

import { readFile, stat } from 'node:fs/promises';
import type { ModelInfo } from '../../../../protocol/model-info.ts';
import { CanceledError, EditError } from '../../errors.ts';
import { readCatalog } from '../catalog.ts';
import type { CatalogModel } from '../catalog-file.ts';
import type { PartDonor } from '../../families/family.ts';
import type { CheckpointReading } from '../../families/open-checkpoint.ts';
import type { VaeFile } from '../../families/replace-vae.ts';
import { installedDonors, plainReading, readReadings, type ModelReading } from '../readings.ts';
import { samplePath } from '../vocabulary-file.ts';
import { openFactCache, type FactCache } from './fact-cache.ts';
import { modelKinds, type KindOf, type Machine, type ModelKind } from './found.ts';
import { kindOf as kindOfFile } from './kind-of.ts';
import { findByName, missingModel, usablePath } from './find-by-name.ts';
import { listAll, listModels, type FoundLists, type Known } from './lists.ts';
import { nameFound, type Named } from './names.ts';
import { findOwnModels, pulledFolders, type OwnModel } from './own-models.ts';
import { readingWith, withoutPartsProblem, type LackingModel } from './parts.ts';
import { readAddedFolders } from './added-folders.ts';
import { scanMachine, type FoundModel } from './scan.ts';
import type { WalkLimits } from './walk.ts';
import { typed } from '../../typed-command.ts';

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
   * @param vae that the edit uses in place of the model's own; null or left out for that
   */
  readingOf(id: string | null, vae?: VaeFile | null): Promise<CheckpointReading>;
  /** Names of the models that give a model parts which it lacks; none where the model cannot be read. */
  donorsOf(id: string): Promise<readonly string[]>;
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
    const found = modelKinds.flatMap((kind) =>
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

  async function pathOfFound(kind: ModelKind, name: string): Promise<string | undefined> {
    const before = findByName(known.found, kind, name);
    if (before !== undefined && (await exists(before.file.path))) return usablePath(before, name);
    await refresh();
    const after = findByName(known.found, kind, name);
    return after === undefined ? undefined : usablePath(after, name);
  }

  return {
    refresh,
    usableModels: () => listModels(known, catalog).filter(({ problem }) => problem === null),
    lists: () => listAll(known, catalog),
    found: () => known.found,
    async pathOfModel(id) {
      const own = ownPath(id);
      if (own !== undefined) return own;
      if (id === null) {
        throw new EditError('model-missing', 'The server has no model.', {
          hint: `Download one with ${typed('models pull ID')}, or name one with --model.`,
        });
      }
      const path = await pathOfFound('checkpoint', id);
      // A model that was pulled or added since the last look.
      const found = path ?? ownPath(id);
      if (found === undefined) throw missingModel(known, 'checkpoint', id);
      return found;
    },
    async readingOf(id, vae = null) {
      const path = await this.pathOfModel(id);
      const name = id ?? known.own[0]?.id ?? '';
      const found = async (): Promise<readonly PartDonor[]> => {
        if (machine === null) return [];
        await refresh();
        return foundDonors(known.found);
      };
      return readingWith(path, readingFor(name), [ownDonors, found], vae);
    },
    async donorsOf(id) {
      const reading = await this.readingOf(id).catch((error: unknown) => {
        if (error instanceof EditError) return null;
        throw error;
      });
      const { named = null, others = [] } = reading?.partsFrom ?? {};
      const chosen = known.own.filter(({ path }) => path === named).map((own) => own.id);
      return [...others.map(({ name }) => name), ...chosen];
    },
    async readSample(modelId, sample) {
      const path = ownPath(modelId);
      if (path === undefined) throw missingModel(known, 'checkpoint', modelId);
      return readFile(samplePath(path, sample));
    },
    async pathOf(kind, name) {
      const path = await pathOfFound(kind, name);
      if (path === undefined) throw missingModel(known, kind, name);
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
}

/** Whole folders that the scan found. */
function foundDonors(found: readonly Named<FoundModel>[]): readonly PartDonor[] {
  return found
    .filter(({ item }) => item.kind === 'checkpoint' && item.file.isFolder && item.problem === null)
    .map(({ id, item }) => ({ name: id, path: item.file.path }));
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
