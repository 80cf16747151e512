// What clients can change of the models of a server: downloads, removals. Everybody hears of it.

import type { WireError } from '../../../protocol/messages/wire-error.ts';
import type { ModelOffer, OfferKind } from '../../../protocol/model-offers.ts';
import { EditError } from '../errors.ts';
import { freeBytesAt } from '../files/free-space.ts';
import { closestFolder } from '../files/closest-folder.ts';
import { removeModel } from './change-models.ts';
import { createDownloads, type Downloads, type DownloadsOptions } from './downloads.ts';
import type { Library } from './library/library.ts';
import { requireUnused, type EditWithModels } from './model-use.ts';

export interface ModelChangesOptions {
  /** Null where nothing can be changed. */
  readonly modelsDir: string | null;
  readonly library: Pick<Library, 'donorsOf' | 'lists' | 'readSample' | 'refresh'>;
  /** The edits that have not ended: what they use stays. */
  readonly unfinishedEdits: () => Promise<readonly EditWithModels[]>;
  /** Null where the server does not download. */
  readonly source: Pick<DownloadsOptions, 'catalog' | 'hub' | 'pull'> | null;
  readonly toClientError: (error: unknown) => WireError;
  /** What no client can be told, for the log. */
  readonly onFault: (error: unknown) => void;
}

export interface ModelChanges {
  readonly downloads: Downloads | null;
  readonly offers: () => readonly ModelOffer[];
  /** Free bytes for downloads; null where that is not known. */
  readonly freeBytes: () => Promise<number | null>;
  /** Throws EditError 'invalid-request' for what is not TokenFlow's to remove, 'model-in-use', 'model-missing'. */
  readonly remove: (kind: OfferKind, name: string) => Promise<void>;
  readonly readSample: Library['readSample'];
  readonly subscribe: (listener: () => void) => () => void;
  readonly close: () => Promise<void>;
}

export function createModelChanges(options: ModelChangesOptions): ModelChanges {
  const { modelsDir, library, unfinishedEdits, source, toClientError, onFault } = options;
  const listeners = new Set<() => void>();

  async function changed(): Promise<void> {
    await library.refresh();
    for (const listener of [...listeners]) listener();
  }

  const downloads =
    source === null || modelsDir === null
      ? null
      : createDownloads({ ...source, modelsDir, toClientError, onFault, onPulled: changed });

  return {
    downloads,
    offers: () => downloads?.offers() ?? [],
    async freeBytes() {
      if (modelsDir === null) return null;
      return freeBytesAt(closestFolder(modelsDir)).catch((error: unknown) => {
        onFault(error);
        return null;
      });
    },
    async remove(kind, name) {
      const { models, loras } = library.lists();
      const source =
        kind === 'checkpoint'
          ? models.find(({ id }) => id === name)?.source
          : loras.find((lora) => lora.name === name)?.source;
      if (modelsDir === null || (source !== 'downloaded' && source !== 'added')) {
        throw new EditError('invalid-request', `${name} was not downloaded or added here.`, {
          hint: 'Only models that TokenFlow downloaded or that were added to it are removed. Others belong to their program.',
        });
      }
      const donorsOf = (model: string) => library.donorsOf(model);
      await requireUnused(name, await unfinishedEdits(), models[0]?.id ?? null, donorsOf);
      await removeModel(modelsDir, name);
      await changed();
    },
    readSample: (modelId, sample) => library.readSample(modelId, sample),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      await downloads?.close();
    },
  };
}
