// `models list`: the program's own models and its catalogue, then what lies in the folders of other programs.

import { createLibrary } from '../../models/library/library.ts';
import { foundEntry, listModels, type FoundEntry, type ListedModel } from '../../models/list-models.ts';
import { report, type ModelsRequest } from './models-request.ts';

export async function list(request: ModelsRequest): Promise<void> {
  const { modelsDir, machine, cacheDir, catalog } = request;
  const library = createLibrary({ first: new Map(), modelsDir, machine, cacheDir, catalog });
  await library.refresh();
  const { models, notices } = library.lists();
  for (const model of listModels(modelsDir, catalog)) {
    const facts = models.find(({ id }) => id === model.id);
    const { sizeBytes = null, problem = null } = facts ?? {};
    const family = facts?.family ?? model.known?.family ?? null;
    const listed = { ...model, family, sizeBytes, problem };
    report(request, { type: 'model', ...asJson(listed) }, formatModel(listed));
  }
  const found = library.found().map((named) => foundEntry(named, catalog));
  for (const title of new Set(found.map(headOf))) {
    const entries = found.filter((entry) => headOf(entry) === title);
    if (!request.isJson) report(request, {}, `\n${title}`);
    const widths = { id: widthOf(entries, 'id'), family: widthOf(entries, 'family') };
    for (const entry of entries) {
      const { kind, ...facts } = entry;
      report(
        request,
        { type: kind === 'checkpoint' ? 'model' : kind, state: 'found', ...facts },
        formatFound(entry, widths),
      );
    }
  }
  for (const notice of notices) report(request, { type: 'notice', text: notice }, `\nNot looked at: ${notice}`);
}

/** A model of the program's own, with what its files say. */
interface ListedFacts extends ListedModel {
  readonly family: string | null;
  readonly sizeBytes: number | null;
  readonly problem: string | null;
}

function asJson({ id, state, dir, known, family, sizeBytes, problem }: ListedFacts): object {
  return {
    id,
    state,
    dir,
    family,
    sizeBytes,
    problem,
    title: known?.title ?? id,
    goodFor: known?.goodFor ?? '',
    licence: known?.licence ?? null,
    kind: known?.kind ?? 'checkpoint',
    downloadGigabytes: known?.hub?.downloadGigabytes ?? null,
    memoryGigabytes: known?.memoryGigabytes ?? null,
  };
}

/** A line of facts, and one that says what the model is for, or why it cannot be used. */
export function formatModel({ id, state, dir, known, family, sizeBytes, problem }: ListedFacts): string {
  const size = known?.hub == null ? '' : `, ${known.hub.downloadGigabytes} GB`;
  const states: Record<ListedModel['state'], string> = {
    embedded: 'comes with the program',
    present: 'on this machine',
    added: `in ${dir ?? ''}`,
    gone: `not there now: ${dir ?? ''}`,
    begun: `download begun${size}`,
    available: `can be downloaded${size}`,
  };
  const facts = [
    states[state],
    ...(family === null ? [] : [family]),
    ...(sizeBytes === null ? [] : [sizeText(sizeBytes)]),
    ...(known === null ? [] : [known.licence.name]),
  ];
  const notes = [...(known === null ? [] : [known.goodFor]), ...(problem === null ? [] : [problem])];
  return [`${id.padEnd(26)} ${facts.join('; ')}`, ...notes].join('\n    ');
}

interface Widths {
  readonly id: number;
  readonly family: number;
}

/** A row of the table, then what the file is for, or why it cannot be used. */
function formatFound({ id, family, sizeBytes, folder, goodFor, problem }: FoundEntry, widths: Widths): string {
  const cells = [id.padEnd(widths.id), (family ?? '').padEnd(widths.family), sizeText(sizeBytes).padStart(8), folder];
  const notes = [...(goodFor === '' ? [] : [goodFor]), ...(problem === null ? [] : [problem])];
  return [`  ${cells.join('  ').trimEnd()}`, ...notes].join('\n      ');
}

/** Columns are as wide as their longest text, up to a point. */
function widthOf(entries: readonly FoundEntry[], key: 'id' | 'family'): number {
  return Math.min(48, Math.max(...entries.map((entry) => entry[key]?.length ?? 0)));
}

function headOf({ place, kind }: FoundEntry): string {
  const kinds = {
    checkpoint: 'models',
    lora: 'LoRAs',
    vae: 'VAEs',
    embedding: 'embeddings',
    controlnet: 'ControlNets',
  } as const;
  return `${place}: ${kinds[kind]}`;
}

/** In units of 1000, as disks are sold. */
export function sizeText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} KB`;
}
