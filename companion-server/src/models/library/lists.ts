// What clients are told of everything that is known: what can be used before what cannot, no more than a message holds.

import { listLimits } from '../../../../protocol/limits.ts';
import type { ModelLists } from '../../../../protocol/messages/session-messages.ts';
import type { ModelFolder, ModelInfo } from '../../../../protocol/model-info.ts';
import type { CatalogModel } from '../catalog-file.ts';
import { kindsOf } from './control-kinds.ts';
import { describeFound, describeOwn } from './describe.ts';
import type { ModelKind } from './found.ts';
import type { Named } from './names.ts';
import type { OwnModel } from './own-models.ts';
import type { FoundModel } from './scan.ts';

/** What there is, without what could be downloaded. */
export type FoundLists = Pick<ModelLists, 'models' | 'loras' | 'controlNets' | 'notices' | 'folders'>;

export interface Known {
  readonly own: readonly OwnModel[];
  readonly found: readonly Named<FoundModel>[];
  readonly notices: readonly string[];
  readonly folders: readonly ModelFolder[];
}

export function listAll(known: Known, catalog: readonly CatalogModel[]): FoundLists {
  const described = (kind: ModelKind) =>
    known.found
      .filter(({ item }) => item.kind === kind)
      .map(({ id, item }) => ({ name: id, ...describeFound(item, id, catalog) }));
  const models = listModels(known, catalog);
  const loras = usableFirst(described('lora'));
  const controlNets = usableFirst(described('controlnet').map((net) => ({ ...net, kinds: [...kindsOf(net.name)] })));
  const notices = known.notices.map((notice) => notice.slice(0, 500));
  for (const [name, { length }] of Object.entries({ models, loras, ControlNets: controlNets })) {
    if (length > listLimits.models) notices.unshift(`Of ${length} ${name}, ${listLimits.models} are listed.`);
  }
  return {
    models: models.slice(0, listLimits.models),
    loras: loras.slice(0, listLimits.models),
    controlNets: controlNets.slice(0, listLimits.models),
    notices: notices.slice(0, listLimits.notices),
    folders: known.folders.slice(0, listLimits.folders),
  };
}

export function listModels({ own, found }: Known, catalog: readonly CatalogModel[]): readonly ModelInfo[] {
  const others = found
    .filter(({ item }) => item.kind === 'checkpoint')
    .map(({ id, item }) => ({ id, ...describeFound(item, id, catalog), vocabulary: null }));
  return usableFirst([...own.map((model) => describeOwn(model)), ...others]);
}

function usableFirst<T extends { readonly problem: string | null }>(all: readonly T[]): readonly T[] {
  return [...all.filter(({ problem }) => problem === null), ...all.filter(({ problem }) => problem !== null)];
}
