// Which versions of which edits are on the timeline now. The timeline is read each time, because Ctrl+Z, the razor tool or
// the user may have changed it.

import type { PlacedEdit } from '../../edits.ts';
import { HostError } from '../../problems.ts';
import type { TimelineSnapshot } from '../../selection.ts';
import type { Sequence, Surroundings } from '../api.ts';
import type { StoredEdit } from './placed-edits.ts';
import { itemIdOf, readTracks, type TimelineItem } from './timeline-items.ts';

export interface PlacedVersion {
  readonly edit: StoredEdit;
  readonly version: number;
  readonly clip: TimelineItem;
}

/** The placed version of each edit that has one. Of copies, the one at the recorded place counts. */
export async function findPlacedVersions(
  surroundings: Surroundings,
  sequence: Sequence,
  edits: readonly StoredEdit[],
): Promise<PlacedVersion[]> {
  if (edits.length === 0) return [];
  const clips = (await readTracks(surroundings, sequence)).flat();
  const withIds = await Promise.all(clips.map(async (clip) => ({ clip, itemId: await itemIdOf(clip.item) })));
  return edits.flatMap((edit) => {
    const placed = withIds.flatMap(({ clip, itemId }) => {
      const version = edit.versions.find(({ resultId }) => resultId === itemId);
      return version === undefined ? [] : [{ edit, version: version.version, clip }];
    });
    const atPlace = placed.find(({ clip }) => isAt(clip, edit.place)) ?? placed[0];
    return atPlace === undefined ? [] : [atPlace];
  });
}

/** Whether a clip is where an edit's result was placed. */
export function isAt(clip: TimelineItem, place: StoredEdit['place']): boolean {
  return clip.trackIndex === place.trackIndex && clip.start === place.start && clip.end === place.end;
}

/** The edit that a selected clip is a result of; null when it is none of ours. */
export function findEditOf(
  placed: readonly PlacedVersion[],
  { itemId }: Pick<TimelineSnapshot, 'itemId'>,
): { readonly editId: string; readonly version: number } | null {
  for (const { edit } of placed) {
    const version = edit.versions.find(({ resultId }) => resultId === itemId);
    if (version !== undefined) return { editId: edit.editId, version: version.version };
  }
  return null;
}

export function toEditRecord(edit: StoredEdit, placed: readonly PlacedVersion[]): PlacedEdit {
  const shown = placed.find(({ edit: { editId } }) => editId === edit.editId);
  return { ...edit, placed: shown?.version ?? null };
}

/** Throws HostError `edit-missing`. */
export function requireEdit(edits: readonly StoredEdit[], editId: string): StoredEdit {
  const edit = edits.find((one) => one.editId === editId);
  if (edit !== undefined) return edit;
  throw new HostError('edit-missing', `The sequence has no record of the edit ${editId}.`);
}
