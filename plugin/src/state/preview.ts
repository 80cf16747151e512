// A preview: the keyframes of an edit, made before the edit. It is a task like any other until its frames have come; then
// they are shown as a strip, and Apply makes the edit that they preview.

import type { EditSettings } from '../../../protocol/edit-settings.ts';
import { originalFrame } from './compare.ts';
import { chosenModel, modeOf, rangeOf } from './choices.ts';
import type { PreviewFrame } from './preview-strip.ts';
import { toSettings } from './form.ts';
import type { PanelState } from './panel-state.ts';
import { maskOf } from './region.ts';
import type { Task } from './task.ts';

/** The preview whose frames can be looked at; null where there is none. */
export function previewed({ tasks }: Pick<PanelState, 'tasks'>): Task | null {
  return tasks.find(({ state }) => state.name === 'previewed') ?? null;
}

/** The frames of a preview, in their order. */
export function previewFramesOf({ report, settings, snapshot }: Task): readonly PreviewFrame[] {
  if (report === null) return [];
  const { frames, frameIndices, frameRate } = report;
  const secondsPerFrame = frameRate.denominator / frameRate.numerator;
  const startSeconds = settings.startSeconds ?? 0;
  const firstFrame = Math.round(startSeconds / secondsPerFrame);
  const shownFrom = snapshot.kind === 'file' ? startSeconds : 0;
  return Array.from({ length: frames }, (_, index) => ({
    index,
    clipFrame: originalFrame({ firstFrame, frameIndices }, index),
    seconds: shownFrom + (frameIndices?.[index] ?? index) * secondsPerFrame,
  }));
}

/** Whether two tasks are about the same piece of the same clip, exported in the same way. */
export function isSameClip(one: Pick<Task, 'snapshot' | 'mode'>, other: Pick<Task, 'snapshot' | 'mode'>): boolean {
  return one.mode === other.mode && JSON.stringify(one.snapshot) === JSON.stringify(other.snapshot);
}

/** Whether Apply, pressed now, makes the edit of the preview: the same clip, prompts, numbers and seed. */
export function isCurrent(state: PanelState, task: Task): boolean {
  const clip = state.selection?.clips[0];
  if (clip === undefined || task.model !== (chosenModel(state)?.id ?? null)) return false;
  const mode = modeOf(state, clip);
  if (!isSameClip(task, { snapshot: clip.snapshot, mode })) return false;
  const { settings } = task;
  // The file format of the edit changes no picture of it.
  const { codec, preview } = settings;
  const wanted = { ...toSettings(state.form, rangeOf(clip), maskOf(state)), codec, preview };
  return sorted(wanted) === sorted(settings);
}

/** As text, whatever the order of the fields: kept settings come back in another. */
function sorted(settings: EditSettings): string {
  return JSON.stringify(Object.entries(settings).sort(([one], [other]) => (one < other ? -1 : 1)));
}
