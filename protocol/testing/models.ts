// Descriptions of models for tests: a usable one, with what a test changes.

import type { ControlNetInfo, LoraInfo, ModelInfo } from '../model-info.ts';
import type { ModelDownload, ModelOffer } from '../model-offers.ts';
import type { ModelVocabulary } from '../vocabulary.ts';

export function makeModelInfo(changes: Partial<ModelInfo> & Pick<ModelInfo, 'id'>): ModelInfo {
  return { title: changes.id, goodFor: '', ...usable, source: 'embedded', vocabulary: null, ...changes };
}

export function makeLoraInfo(changes: Partial<LoraInfo> & Pick<LoraInfo, 'name'>): LoraInfo {
  return { title: changes.name, goodFor: '', ...usable, source: 'comfyui', folder: 'models/loras', ...changes };
}

export function makeControlNetInfo(changes: Partial<ControlNetInfo> & Pick<ControlNetInfo, 'name'>): ControlNetInfo {
  const folder = 'models/controlnet';
  return { title: changes.name, goodFor: '', ...usable, source: 'comfyui', folder, kinds: [], ...changes };
}

const usable = { family: 'Stable Diffusion 1.x', sizeBytes: 2_132_605_308, folder: '', problem: null } as const;

/** A small drawn world. */
export const practiceVocabulary: ModelVocabulary = {
  sentence: '{style} {a} {colour} {object} {place}',
  parts: [
    {
      name: 'style',
      phrases: [
        ['a watercolor painting of', 'a painting of'],
        ['', 'a photo of'],
      ],
      standIn: null,
    },
    { name: 'colour', phrases: [['red'], ['orange'], ['blue']], standIn: null },
    { name: 'object', phrases: [['ball'], ['car']], standIn: 'ball' },
    {
      name: 'place',
      phrases: [
        ['on grass', 'in a meadow'],
        ['in the city', 'on a city street'],
      ],
      standIn: null,
    },
  ],
  samples: [
    {
      name: 'ball-grass',
      title: 'Red ball on grass',
      sizeBytes: 300,
      sha256: 'b'.repeat(64),
      sourcePrompt: 'a red ball on grass',
      prompts: ['a blue ball on grass', 'a watercolor painting of a red ball on grass'],
    },
    {
      name: 'car-city',
      title: 'Blue car in the city',
      sizeBytes: 500,
      sha256: 'c'.repeat(64),
      sourcePrompt: 'a blue car in the city',
      prompts: ['a red car in the city'],
    },
  ],
};

/** What a list of models has beside models and LoRAs, where there is nothing of it. */
export const nothingElse = { controlNets: [], notices: [], folders: [], offers: [], freeBytes: null } as const;

/** A model that can be downloaded. */
export function makeOffer(changes: Partial<ModelOffer> & Pick<ModelOffer, 'id'>): ModelOffer {
  const { family, sizeBytes } = usable;
  const licenceName = 'CreativeML Open RAIL-M';
  return {
    title: changes.id,
    kind: 'checkpoint',
    family,
    goodFor: '',
    licenceName,
    sizeBytes,
    state: 'available',
    ...changes,
  };
}

/** A download that runs. */
export function makeDownload(changes: Partial<ModelDownload> & Pick<ModelDownload, 'id'>): ModelDownload {
  const amounts = { doneBytes: 800_000_000, totalBytes: usable.sizeBytes, bytesPerSecond: 11_400_000 };
  return { title: changes.id, state: 'running', ...amounts, error: null, ...changes };
}
