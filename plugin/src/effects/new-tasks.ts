// Apply makes one task per selected clip. Preview makes one task for the first of them.

import type { SelectedClip } from '../host/selection.ts';
import { chosenModel, modeOf, rangeOf, sourceIdOf } from '../state/choices.ts';
import { toSettings } from '../state/form.ts';
import type { PanelState } from '../state/panel-state.ts';
import { isCurrent, previewed } from '../state/preview.ts';
import { maskOf } from '../state/region.ts';
import type { Task } from '../state/task.ts';

export interface Chance {
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function newTasks(state: PanelState, chance: Chance): readonly Task[] {
  const preview = previewed(state);
  const promised = preview !== null && isCurrent(state, preview) ? preview : null;
  return (state.selection?.clips ?? []).map((clip, index) => {
    const task = newTask(state, clip, chance);
    // The clip of the preview is on the server: it is neither exported nor sent again.
    return index === 0 && promised !== null ? { ...task, ...sentBefore(promised) } : task;
  });
}

export function newPreview(state: PanelState, chance: Chance): Task | null {
  const clip = state.selection?.clips[0];
  if (clip === undefined) return null;
  const task = newTask(state, clip, chance);
  return { ...task, settings: { ...task.settings, preview: true } };
}

function newTask(state: PanelState, clip: SelectedClip, { random, now }: Chance): Task {
  const { form, selection, prepared } = state;
  const isFirst = clip.key === selection?.clips[0]?.key;
  const mode = modeOf(state, clip);
  // An export that was made for a still would not have effects that were changed later.
  const isSame = clip.snapshot.kind === 'file' || mode === 'source';
  const sent = isSame && prepared?.sourceId === sourceIdOf(clip) ? prepared.clip : null;
  return {
    key: newKey(random),
    projectId: selection?.project?.id ?? null,
    clipName: clip.name,
    snapshot: clip.snapshot,
    frames: clip.frames,
    mode,
    // A region was drawn on the first clip; words may be meant for all.
    settings: toSettings(form, rangeOf(clip), isFirst || state.region.kind === 'words' ? maskOf(state) : undefined),
    model: chosenModel(state)?.id ?? null,
    editId: clip.edit?.editId ?? state.rerunOf,
    createdAt: new Date(now).toISOString(),
    jobId: null,
    report: null,
    isCanceling: false,
    asked: null,
    ...(sent === null ? unsent : sentBefore(sent)),
  };
}

const unsent = {
  clipId: null,
  media: null,
  state: { name: 'exporting', progress: null },
} as const;

/** A clip that was sent in advance only waits for its turn. */
function sentBefore({ clipId, media }: Pick<Task, 'clipId' | 'media'>): Pick<Task, 'clipId' | 'media' | 'state'> {
  return { clipId, media, state: { name: 'queued', position: null } };
}

/** The fields of a clip by which its upload is found. */
export function asClip({ snapshot, clipName, frames, key, mode }: Task): SelectedClip {
  return {
    key,
    name: clipName,
    snapshot,
    frames,
    frameRate: null,
    size: null,
    warnings: [],
    modes: [mode],
    freeTrackIndex: null,
    edit: null,
  };
}

/** 24 letters and digits; a job's key must only be unique for this client. */
export function newKey(random: () => number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 24 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
}
