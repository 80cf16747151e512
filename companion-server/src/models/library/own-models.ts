// The program's own models: the embedded one, those in the models folder, and those that were added by reference or chosen.

import { realpath } from 'node:fs/promises';
import type { ModelSource } from '../../../../protocol/model-info.ts';
import type { ModelVocabulary } from '../../../../protocol/vocabulary.ts';
import { EditError } from '../../errors.ts';
import type { CatalogModel } from '../catalog-file.ts';
import { embeddedModelDir, findInstalledModels } from '../installed-models.ts';
import { listPulledOf, modelDir } from '../models-folder.ts';
import { readVocabulary } from '../vocabulary-file.ts';
import type { KindOf, PlaceFolder } from './found.ts';
import { factsOfFile } from './scan.ts';

export interface OwnModel {
  readonly id: string;
  /** Absolute, of the folder or file. */
  readonly path: string;
  /** Without symbolic links; null while nobody has looked. */
  readonly realPath: string | null;
  readonly source: ModelSource;
  /** The catalogue's entry; null for a model that it does not know. */
  readonly known: CatalogModel | null;
  readonly family: string | null;
  readonly sizeBytes: number | null;
  readonly problem: string | null;
  /** As of FoundKind. */
  readonly lacksParts?: boolean | undefined;
  /** Of a practice model; null for others. */
  readonly vocabulary: ModelVocabulary | null;
  /** The same model, with what its files say. */
  examined(kindOf: KindOf): Promise<OwnModel>;
}

/** `first`, then what else is installed. What cannot be read is named in `notices`. */
export function findOwnModels(
  first: ReadonlyMap<string, string>,
  modelsDir: string | null,
  catalog: readonly CatalogModel[],
): { readonly models: readonly OwnModel[]; readonly notices: string[] } {
  const notices: string[] = [];
  const models = new Map(first);
  try {
    const installed = modelsDir === null ? [] : findInstalledModels(modelsDir);
    for (const [id, path] of installed) if (!models.has(id)) models.set(id, path);
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    notices.push(
      'The list of added models cannot be read: delete references.json in the models folder, and add them again.',
    );
  }
  const sourceOf = (id: string, path: string): ModelSource => {
    if (path === embeddedModelDir) return 'embedded';
    return modelsDir !== null && path === modelDir(modelsDir, id) ? 'downloaded' : 'added';
  };
  const vocabularyOf = (id: string, path: string): ModelVocabulary | null => {
    try {
      return readVocabulary(path);
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      notices.push(`The words of ${id} cannot be read: vocabulary.json in its folder is damaged.`);
      return null;
    }
  };
  return {
    notices,
    models: [...models].map(([id, path]) =>
      unexamined({
        id,
        path,
        realPath: null,
        source: sourceOf(id, path),
        known: catalog.find((model) => model.id === id) ?? null,
        family: null,
        sizeBytes: null,
        problem: null,
        vocabulary: vocabularyOf(id, path),
      }),
    ),
  };
}

function unexamined(model: Omit<OwnModel, 'examined'>): OwnModel {
  return {
    ...model,
    async examined(kindOf) {
      try {
        const file = await factsOfFile(model.path, 'checkpoints');
        const { sizeBytes, realPath } = file;
        return { ...this, ...(await kindOf(file)), sizeBytes, realPath };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
        // It is offered all the same: whoever uses it is told what is wrong with it.
        return { ...this, realPath: await realpath(model.path).catch(() => null) };
      }
    },
  };
}

/** The folders of downloaded LoRAs and VAEs: the only file of each is called by the name in the catalogue. */
export function pulledFolders(modelsDir: string): readonly PlaceFolder[] {
  return (['lora', 'vae'] as const).flatMap((kind) =>
    listPulledOf(modelsDir, kind).map((id): PlaceFolder => {
      const role = kind === 'lora' ? 'loras' : 'vaes';
      return { source: 'downloaded', dir: modelDir(modelsDir, id, kind), label: '', role, named: id };
    }),
  );
}
