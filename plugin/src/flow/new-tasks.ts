// What Apply makes: one task per selected clip.

import type { SelectedClip } from '../host/selection.ts';
import { chosenModel, rangeOf, sourceIdOf } from '../state/choices.ts';
import { toSettings } from '../state/form.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { Task } from '../state/task.ts';

export function newTasks(
  state: PanelState,
  { random, now }: { readonly random: () => number; readonly now: number },
): readonly Task[] {
  const { form, selection, prepared } = state;
  return (selection?.clips ?? []).map((clip) => {
    const sent = prepared?.sourceId === sourceIdOf(clip) ? prepared.clip : null;
    return {
      ...{ key: newKey(random), projectId: selection?.project?.id ?? null },
      ...{ clipName: clip.name, snapshot: clip.snapshot, frames: clip.frames },
      mode: clip.modes.find((mode) => mode === state.exportMode) ?? clip.modes[0] ?? 'source',
      settings: toSettings(form, rangeOf(clip)),
      model: chosenModel(state)?.id ?? null,
      editId: clip.edit?.editId ?? state.rerunOf,
      createdAt: new Date(now).toISOString(),
      ...{ clipId: sent?.clipId ?? null, media: sent?.media ?? null, jobId: null, report: null },
      isCanceling: false,
      // A clip that was sent ahead has nothing before it but its turn.
      state:
        sent === null ? { name: 'exporting', progress: null } : { name: 'queued', position: null },
    };
  });
}

/** Enough of a clip to find what is being sent of it. */
export function asClip({ snapshot, clipName, frames, key, mode }: Task): SelectedClip {
  return {
    ...{ key, name: clipName, snapshot, frames, frameRate: null, size: null, warnings: [] },
    ...{ modes: [mode], freeTrackIndex: null, edit: null },
  };
}

/** 24 letters and digits; a job's key needs to be unlike this client's others only. */
export function newKey(random: () => number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 24 }, () => alphabet[Math.floor(random() * alphabet.length)]).join(
    '',
  );
}
