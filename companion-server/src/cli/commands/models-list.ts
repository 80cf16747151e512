// `models list`.

import { listModels, type ListedModel } from '../../models/list-models.ts';
import { report, type ModelsRequest } from './models-request.ts';

export function list(request: ModelsRequest): void {
  for (const model of listModels(request.modelsDir, request.catalog)) {
    report(request, { type: 'model', ...asJson(model) }, formatModel(model));
  }
}

function asJson({ id, state, dir, known }: ListedModel): object {
  return {
    id,
    state,
    dir,
    title: known?.title ?? id,
    goodFor: known?.goodFor ?? '',
    licence: known?.licence ?? null,
    downloadGigabytes: known?.hub?.downloadGigabytes ?? null,
    memoryGigabytes: known?.memoryGigabytes ?? null,
  };
}

/** A line of facts, and one that says what the model is for. */
export function formatModel({ id, state, dir, known }: ListedModel): string {
  const size = known?.hub == null ? '' : `, ${known.hub.downloadGigabytes} GB`;
  const states: Record<ListedModel['state'], string> = {
    embedded: 'comes with the program',
    present: 'on this machine',
    added: `in ${dir ?? ''}`,
    gone: `not there now: ${dir ?? ''}`,
    begun: `download begun${size}`,
    available: `can be downloaded${size}`,
  };
  const licence = known === null ? [] : [known.licence.name];
  const head = `${id.padEnd(26)} ${[states[state], ...licence].join('; ')}`;
  return known === null ? head : `${head}\n    ${known.goodFor}`;
}
