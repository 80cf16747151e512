// Values that are derived from the state: which model, which range, whether Apply can be pressed and why not.

import type { ModelInfo } from '../../../protocol/model-info.ts';
import type { PlacedEdit, EditVersion } from '../host/edits.ts';
import type { ExportMode, SelectedClip } from '../host/selection.ts';
import type { ServerFacts } from '../../../protocol/client/link-state.ts';
import type { ClipRange } from './form.ts';
import type { PanelState } from './panel-state.ts';
import { isRegionMissing } from './region.ts';

/** The last facts from the server about itself, also while it is not reachable. */
export function serverFacts({ link }: PanelState): ServerFacts | null {
  return link.name === 'online' || link.name === 'lost' ? link.server : null;
}

/**
 * Whether the app was there and is not running any more. A connection can end by chance; a server that does not answer the
 * next attempt either has stopped.
 */
export function isStopped({ link }: Pick<PanelState, 'link'>): boolean {
  return link.name === 'lost' && link.attempts > 0;
}

/** Models that the server knows, those that cannot be used included. */
export function knownModels(state: PanelState): readonly ModelInfo[] {
  const facts = serverFacts(state);
  return facts === null ? [] : (state.models?.models ?? facts.models);
}

/** Models that a job may use, the server's default first. */
export function usableModels(state: PanelState): readonly ModelInfo[] {
  return knownModels(state).filter(({ problem }) => problem === null);
}

/** The model that Apply will use; null when the server has none. */
export function chosenModel(state: PanelState): ModelInfo | null {
  const models = usableModels(state);
  return models.find(({ id }) => id === state.form.model) ?? models[0] ?? null;
}

/** Equal for clips that are sent as the same file. */
export function sourceIdOf({ snapshot, key }: SelectedClip): string {
  return snapshot.kind === 'file' ? snapshot.fileId : key;
}

/** The part of a file that is to be edited; a clip on a timeline is cut by the host. */
export function rangeOf({ snapshot }: SelectedClip): ClipRange {
  if (snapshot.kind !== 'file') return null;
  const { startSeconds, endSeconds } = snapshot;
  return startSeconds === null || endSeconds === null ? null : { startSeconds, endSeconds };
}

/** How a clip will leave the timeline. */
export function modeOf({ exportMode }: Pick<PanelState, 'exportMode'>, { modes }: SelectedClip): ExportMode {
  return modes.find((mode) => mode === exportMode) ?? modes[0] ?? 'source';
}

export function currentEdit({ edits, editId }: PanelState): PlacedEdit | null {
  return edits.find((edit) => edit.editId === editId) ?? null;
}

export function versionOf(edit: PlacedEdit | null, version: number | null): EditVersion | null {
  return edit?.versions.find((one) => one.version === version) ?? null;
}

export type ApplyBlock =
  'not-connected' | 'no-model' | 'no-clip' | 'no-prompt' | 'no-region' | 'clip-unusable' | 'too-large';

/** Why Apply cannot be pressed; null when it can. */
export function applyBlock(state: PanelState): ApplyBlock | null {
  if (serverFacts(state) === null) return 'not-connected';
  if (chosenModel(state) === null) return 'no-model';
  if ((state.selection?.clips ?? []).length === 0) return 'no-clip';
  if (state.prepared !== null && state.prepared.problem !== null) return 'clip-unusable';
  if (state.form.prompt.trim() === '') return 'no-prompt';
  if (isRegionMissing(state)) return 'no-region';
  if (state.estimate.name === 'known' && !state.estimate.estimate.fits) return 'too-large';
  return null;
}

/** Why Preview cannot be pressed; null when it can. The keyframes may fit when the whole edit does not. */
export function previewBlock(state: PanelState): ApplyBlock | null {
  const block = applyBlock(state);
  return block === 'too-large' ? null : block;
}

/** Frames of the selection together; null when one is not known. */
export function selectedFrames(state: PanelState): number | null {
  return (state.selection?.clips ?? []).reduce<number | null>((sum, clip) => {
    const frames = clip.frames ?? framesOfRange(state, clip);
    return sum === null || frames === null ? null : sum + frames;
  }, 0);
}

function framesOfRange({ prepared }: PanelState, clip: SelectedClip): number | null {
  if (prepared?.clip == null || prepared.sourceId !== sourceIdOf(clip)) return null;
  const { frameCount, frameRate, durationSeconds } = prepared.clip.media;
  const range = rangeOf(clip);
  if (range === null) return frameCount;
  const seconds = Math.min(durationSeconds, range.endSeconds) - range.startSeconds;
  return Math.max(0, Math.round((seconds * frameRate.numerator) / frameRate.denominator));
}
