// The list of models and LoRAs as it is shown: those that match what the user typed, by the place where they lie.

import type { LoraInfo, ModelInfo, ModelSource } from '../../../protocol/model-info.ts';
import { modelSources } from '../../../protocol/model-info.ts';

/** `get`: what can be downloaded. */
export const listKinds = ['models', 'loras', 'get'] as const;
export type ListKind = (typeof listKinds)[number];

/** A line of the list. */
export interface ListedFile {
  /** The name that jobs use. */
  readonly id: string;
  readonly info: ModelInfo | LoraInfo;
}

export interface ListGroup {
  readonly source: ModelSource;
  readonly files: readonly ListedFile[];
}

/** A list of more than this can be searched. */
export const searchableCount = 8;

/** Lines that are shown of one place; the others are found by searching. */
export const maxShownFiles = 60;

export function modelFiles(models: readonly ModelInfo[]): readonly ListedFile[] {
  return models.map((info) => ({ id: info.id, info }));
}

export function loraFiles(loras: readonly LoraInfo[]): readonly ListedFile[] {
  return loras.map((info) => ({ id: info.name, info }));
}

/** Groups in the order of the places; each word of `filter` must be in name, title, family or folder. */
export function groupFiles(files: readonly ListedFile[], filter: string): readonly ListGroup[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const matching = files.filter(({ id, info }) => {
    const text = [id, info.title, info.family ?? '', info.folder].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const groups = modelSources.map((source) => ({
    source,
    files: matching.filter(({ info }) => info.source === source),
  }));
  return groups.filter((group) => group.files.length > 0);
}
