// The description, for clients, of the models that they can choose from.

import type { ModelInfo } from '../../../protocol/model-info.ts';
import { readCatalog } from './catalog.ts';

/** One entry for each of the server's models, in their order: what the catalogue says, else the bare name. */
export function describeModels(config: { readonly models: ReadonlyMap<string, string> }): readonly ModelInfo[] {
  return [...config.models.keys()].map((id) => {
    const known = readCatalog().find((model) => model.id === id);
    return { id, title: known?.title ?? id, goodFor: known?.goodFor ?? '' };
  });
}
