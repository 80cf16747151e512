// What a practice model cannot do: a clip that is not of its world, or words that it has never seen. Apply and Preview wait
// for the user's word then.

import type { ModelInfo } from '../../../protocol/model-info.ts';
import { readPrompt, sampleFileName, type ModelVocabulary, type SampleInfo } from '../../../protocol/vocabulary.ts';
import type { SelectedClip } from '../host/selection.ts';
import { chosenModel, sourceIdOf, usableModels } from './choices.ts';
import type { PanelState } from './panel-state.ts';

export interface PracticeDoubt {
  /** Equal for the same clips and model. */
  readonly key: string;
  readonly model: ModelInfo;
  /** Whether a selected clip is not of the model's world. */
  readonly isForeignClip: boolean;
  /** Words of the prompts that the model has never seen. */
  readonly unknownWords: readonly string[];
}

/** Why an edit of this clip by these words would fail; null where it would not. */
export function practiceDoubt(state: PanelState): PracticeDoubt | null {
  const model = chosenModel(state);
  const clips = state.selection?.clips ?? [];
  if (model?.vocabulary == null || clips.length === 0) return null;
  const { vocabulary } = model;
  const isForeignClip = clips.some((clip) => isOfWorld(clip, vocabulary, state) === false);
  const { prompt, sourcePrompt } = state.form;
  const unknown = [prompt, sourcePrompt].flatMap((text) => readPrompt(vocabulary, text).unknown);
  if (!isForeignClip && unknown.length === 0) return null;
  const key = JSON.stringify([model.id, ...clips.map(sourceIdOf)]);
  return { key, model, isForeignClip, unknownWords: [...new Set(unknown)] };
}

/** The doubt that the user has not answered; Apply and Preview do nothing until then. */
export function openDoubt(state: PanelState): PracticeDoubt | null {
  const doubt = practiceDoubt(state);
  return doubt === null || doubt.key === state.practice.accepted ? null : doubt;
}

/** The doubt that is shown in the place of Apply: a foreign clip at once, unknown words when Apply or Preview is pressed. */
export function shownDoubt(state: PanelState): PracticeDoubt | null {
  const doubt = openDoubt(state);
  return doubt !== null && (doubt.isForeignClip || state.practice.held !== null) ? doubt : null;
}

/** The sample of the chosen model that the selected clip is; null for any other clip. */
export function selectedSample(state: PanelState): SampleInfo | null {
  const [clip] = state.selection?.clips ?? [];
  const vocabulary = chosenModel(state)?.vocabulary ?? null;
  return clip === undefined || vocabulary === null ? null : sampleOf(clip, vocabulary, state);
}

/** The first usable model that is no practice model; null where there is none. */
export function footageModel(state: PanelState): ModelInfo | null {
  return usableModels(state).find(({ vocabulary }) => vocabulary === null) ?? null;
}

/** The first practice model with sample clips; null where there is none. */
export function practiceModel(state: PanelState): (ModelInfo & { readonly vocabulary: ModelVocabulary }) | null {
  for (const model of usableModels(state)) {
    const { vocabulary } = model;
    if (vocabulary !== null && vocabulary.samples.length > 0) return { ...model, vocabulary };
  }
  return null;
}

/** Null while that is not known. An edit that this panel has made is of the world that its original is of. */
function isOfWorld(clip: SelectedClip, vocabulary: ModelVocabulary, state: PanelState): boolean | null {
  if (clip.edit !== null || sampleOf(clip, vocabulary, state) !== null) return true;
  const { snapshot } = clip;
  // A file of another size than every sample is none of them, before its hash is known.
  const mayBeSample =
    snapshot.kind === 'file' && vocabulary.samples.some(({ sizeBytes }) => sizeBytes === snapshot.sizeBytes);
  return mayBeSample && hashOf(clip, state) === null ? null : false;
}

/** A file is known by its hash; the media of a clip on a timeline by the name of its file. */
function sampleOf(clip: SelectedClip, { samples }: ModelVocabulary, state: PanelState): SampleInfo | null {
  const { snapshot } = clip;
  if (snapshot.kind === 'file') {
    const hash = hashOf(clip, state);
    return samples.find(({ sha256 }) => sha256 === hash) ?? null;
  }
  const fileName = snapshot.mediaPath.split(/[/\\]/).at(-1);
  return samples.find((sample) => sampleFileName(sample) === fileName) ?? null;
}

function hashOf(clip: SelectedClip, { prepared }: PanelState): string | null {
  return prepared?.sourceId === sourceIdOf(clip) ? (prepared.clip?.sha256 ?? null) : null;
}
