// Everything that can be said of models in one list: what there is, and what could be downloaded.

import { readCatalog } from './catalog.ts';
import { catalogKinds, type CatalogModel } from './catalog-file.ts';
import { embeddedModelId, findInstalledModels } from './installed-models.ts';
import { describeFound } from './library/describe.ts';
import type { ModelKind } from './library/found.ts';
import type { Named } from './library/names.ts';
import type { FoundModel } from './library/scan.ts';
import { listPulledOf, listStaged, modelDir, readReferences } from './models-folder.ts';

export interface ListedModel {
  readonly id: string;
  /**
   * embedded: comes with the program. present: is in the models folder. added: a folder elsewhere. gone: was added,
   * and its folder is not there now. begun: a part is downloaded. available: can be downloaded.
   */
  readonly state: 'embedded' | 'present' | 'added' | 'gone' | 'begun' | 'available';
  /** Null where it is not on this machine. */
  readonly dir: string | null;
  /** The catalogue's entry; null for a model that it does not know. */
  readonly known: CatalogModel | null;
}

/** Models that can be used first, then those that cannot yet. Throws EditError 'model-damaged'. */
export function listModels(
  modelsDir: string,
  catalog: readonly CatalogModel[] = readCatalog(),
): readonly ListedModel[] {
  const installed = findInstalledModels(modelsDir);
  const references = readReferences(modelsDir);
  const staged = listStaged(modelsDir);
  const knownAs = (id: string): CatalogModel | null => catalog.find((model) => model.id === id) ?? null;
  const present = [...installed].map(([id, dir]): ListedModel => {
    const here = references.get(id) === dir ? 'added' : 'present';
    return { id, state: id === embeddedModelId ? 'embedded' : here, dir, known: knownAs(id) };
  });
  const pulled = catalogKinds.flatMap((kind) =>
    kind === 'checkpoint'
      ? []
      : listPulledOf(modelsDir, kind).map((id): ListedModel => {
          return { id, state: 'present', dir: modelDir(modelsDir, id, kind), known: knownAs(id) };
        }),
  );
  const isPulled = (id: string): boolean => pulled.some((model) => model.id === id);
  const gone = [...references]
    .filter(([id]) => !installed.has(id))
    .map(([id, dir]): ListedModel => ({ id, state: 'gone', dir, known: null }));
  const others = new Set([...catalog.map(({ id }) => id), ...staged]);
  const missing = [...others]
    .filter((id) => !installed.has(id) && !references.has(id) && !isPulled(id))
    .map((id): ListedModel => {
      const state = staged.includes(id) ? 'begun' : 'available';
      return { id, state, dir: null, known: knownAs(id) };
    });
  return [...present, ...pulled, ...gone, ...missing];
}

/** A file that was found, for the user of this machine: with its path. */
export interface FoundEntry {
  readonly id: string;
  readonly kind: ModelKind;
  readonly place: string;
  readonly source: string;
  readonly folder: string;
  /** Absolute, of the file or folder. */
  readonly path: string;
  readonly title: string;
  readonly goodFor: string;
  readonly family: string | null;
  readonly sizeBytes: number;
  readonly problem: string | null;
}

export function foundEntry({ id, item }: Named<FoundModel>, catalog: readonly CatalogModel[]): FoundEntry {
  const { kind, place, file } = item;
  return { id, kind, place, path: file.path, ...describeFound(item, id, catalog), sizeBytes: file.sizeBytes };
}
