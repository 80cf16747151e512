// The checkpoints, LoRAs and ControlNets that a server knows: its own and those of other programs on its machine. Paths stay there: a
// place is said by the name of its program and a folder below it.

import { controlKinds } from './control.ts';
import { count, list, nullable, object, oneOf, text, type Infer } from './fields.ts';
import { listLimits } from './limits.ts';
import { modelOffers } from './model-offers.ts';
import { modelVocabulary } from './vocabulary.ts';

/**
 * Where a model lies. `embedded`: comes with the program. `downloaded`: in the models folder. `added`: known by
 * `models add` or `--model`. `hub`: in the cache of Hugging Face's libraries. `folder`: in a folder that the user named.
 * The others are the folders of that program.
 */
export const modelSources = [
  'embedded',
  'downloaded',
  'added',
  'hub',
  'comfyui',
  'automatic1111',
  'invokeai',
  'diffusionbee',
  'draw-things',
  'folder',
] as const;
export type ModelSource = (typeof modelSources)[number];

/** What is said of every file or folder that was found. */
const found = {
  /** The family of models that it is of, or that it is for, for example `Stable Diffusion 1.x`; null when unknown. */
  family: nullable(text({ max: 200 })),
  /** Of the file, or of all files of the folder; null when unknown. */
  sizeBytes: nullable(count),
  source: oneOf(modelSources),
  /** Below the place, with forward slashes, for example `models/checkpoints/film`; empty when it has none. */
  folder: text({ max: 400 }),
  /** Why it cannot be used, in one sentence; null when it can. */
  problem: nullable(text({ max: 1_000 })),
};

const name = text({ min: 1, max: 200 });

const modelInfo = object({
  /** The name that a job uses. */
  id: name,
  /** For users; the id if there is no other. */
  title: name,
  /** What it is good for, in one sentence; empty when nothing is known. */
  goodFor: text({ max: 1_000 }),
  ...found,
  /** Of a practice model, which knows no other words; null for a model of ordinary language, for real footage. */
  vocabulary: nullable(modelVocabulary),
});
export type ModelInfo = Infer<typeof modelInfo>;

const loraInfo = object({
  /** The name that settings use. */
  name,
  /** For users; the name if there is no other. */
  title: name,
  /** What it is good for, in one sentence; empty when nothing is known. */
  goodFor: text({ max: 1_000 }),
  ...found,
});
export type LoraInfo = Infer<typeof loraInfo>;

const controlNetInfo = object({
  /** The name that settings use. */
  name,
  /** For users; the name if there is no other. */
  title: name,
  /** What it is good for, in one sentence; empty when nothing is known. */
  goodFor: text({ max: 1_000 }),
  ...found,
  /** What it is shown, as far as its name says that; a ControlNet for one of them is taken where an edit names none. */
  kinds: list(oneOf(controlKinds), controlKinds.length),
});
export type ControlNetInfo = Infer<typeof controlNetInfo>;

export const modelInfos = list(modelInfo, listLimits.models);

/** A place that was looked into: a program, or a folder that the user named. */
const modelFolder = object({
  source: oneOf(modelSources),
  /** Of the program, or the last part of the folder's name. */
  title: text({ min: 1, max: 200 }),
  /** Models and LoRAs that were found there. */
  models: count,
});
export type ModelFolder = Infer<typeof modelFolder>;

/** What there is on the server's machine, and what it can download. */
export const modelLists = {
  /** Those that a job may use first, the default before all others; then those with a `problem`. */
  models: modelInfos,
  loras: list(loraInfo, listLimits.models),
  controlNets: list(controlNetInfo, listLimits.models),
  /** What could not be looked at, a sentence each. */
  notices: list(text({ min: 1, max: 500 }), listLimits.notices, 'texts'),
  folders: list(modelFolder, listLimits.folders),
  /** Empty where the server does not download. */
  offers: modelOffers,
  /** On the disk of the downloads; null where that is not known. */
  freeBytes: nullable(count),
};
