// Actions on a result on the timeline: hide it, show it, remove it, delete it. Each is one undo step, and its result is
// read back.

import type { PlacedEdit } from '../../edits.ts';
import { HostError } from '../../problems.ts';
import { parseTicks } from '../../ticks.ts';
import type { Sequence, Surroundings, TrackItemSelection } from '../api.ts';
import type { EditRecords } from './placed-edits.ts';
import { findPlacedVersions, requireEdit, toEditRecord, type PlacedVersion } from './placed-versions.ts';
import { replaceEdit } from './place.ts';
import { findProjectItem, findWithFolder } from './project-items.ts';
import { openProject, readTrack } from './timeline-items.ts';
import { runTransaction } from './transaction.ts';

export interface RevertSources {
  readonly surroundings: Surroundings;
  readonly records: EditRecords;
  readonly log: (line: string) => void;
}

/** Throws HostError `edit-missing` when no version of the edit is on the timeline. */
async function requirePlaced(
  { surroundings, records }: RevertSources,
  sequence: Sequence,
  editId: string,
): Promise<PlacedVersion> {
  const edit = requireEdit(await records.read(sequence), editId);
  const [placed] = await findPlacedVersions(surroundings, sequence, [edit]);
  if (placed !== undefined) return placed;
  throw new HostError('edit-missing', `No version of ${editId} is on the timeline.`);
}

export async function isShown(sources: RevertSources, sequence: Sequence, editId: string): Promise<boolean> {
  const { clip } = await requirePlaced(sources, sequence, editId);
  return !(await clip.item.isDisabled());
}

export async function setShown(
  sources: RevertSources,
  sequence: Sequence,
  editId: string,
  shown: boolean,
): Promise<void> {
  if ((await isShown(sources, sequence, editId)) === shown) return;
  const project = await openProject(sources.surroundings);
  const { clip } = await requirePlaced(sources, sequence, editId);
  runTransaction(project, shown ? 'Show TokenFlow edit' : 'Hide TokenFlow edit', 'host-refused', (add) => {
    add.must(() => clip.item.createSetDisabledAction(!shown));
  });
  if ((await isShown(sources, sequence, editId)) !== shown) {
    throw new HostError('host-refused', `The clip of ${editId} did not change.`);
  }
}

/** Removes the placed version from the timeline; other selected items stay selected. */
export async function revert(sources: RevertSources, sequence: Sequence, editId: string): Promise<PlacedEdit> {
  const { surroundings, records } = sources;
  const { ppro } = surroundings;
  const project = await openProject(surroundings);
  const { clip, edit } = await requirePlaced(sources, sequence, editId);
  const selectedBefore = await readSelectedPlaces(surroundings, sequence);

  // A selection that is created empty becomes invalid in use; the sequence's own selection, emptied and filled, does not.
  await sequence.clearSelection();
  const selection = await sequence.getSelection();
  selection.addItem(clip.item);
  const editor = ppro.SequenceEditor.getEditor(sequence);
  try {
    runTransaction(project, 'Remove TokenFlow edit', 'revert-failed', (add) => {
      add.must(() => editor.createRemoveItemsAction(selection, false, ppro.Constants.MediaType.VIDEO));
    });
  } finally {
    await restoreSelection(sources, sequence, selectedBefore);
  }
  await records.remember(edit.place.sequenceId, await records.read(sequence));
  const placed = await findPlacedVersions(surroundings, sequence, [edit]);
  if (placed.length === 0) return toEditRecord(edit, placed);
  throw new HostError('revert-failed', `The clip of ${editId} is still on the timeline.`);
}

interface SelectedPlace {
  readonly trackIndex: number;
  readonly start: string;
}

async function readSelectedPlaces({ ppro }: Surroundings, sequence: Sequence): Promise<SelectedPlace[]> {
  const places: SelectedPlace[] = [];
  const count = await sequence.getVideoTrackCount();
  for (let trackIndex = 0; trackIndex < count; trackIndex += 1) {
    const track = await sequence.getVideoTrack(trackIndex);
    for (const item of track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false)) {
      if (!(await item.getIsSelected())) continue;
      places.push({ trackIndex, start: (await item.getStartTime()).ticks });
    }
  }
  return places;
}

/** Best effort: a selection that cannot be restored is logged. */
async function restoreSelection(
  { surroundings, log }: RevertSources,
  sequence: Sequence,
  places: readonly SelectedPlace[],
): Promise<void> {
  try {
    await sequence.clearSelection();
    const selection: TrackItemSelection = await sequence.getSelection();
    for (const { trackIndex, start } of places) {
      const track = await readTrack(surroundings, sequence, trackIndex);
      const clip = track.find((one) => one.start === start);
      if (clip !== undefined) selection.addItem(clip.item);
    }
    sequence.setSelection(selection);
  } catch (error) {
    log(`The selection was not restored: ${String(error)}`);
  }
}

/** Removes a version's item from the project and deletes its file; off the timeline first where it is placed. */
export async function forgetVersion(
  sources: RevertSources,
  sequence: Sequence,
  editId: string,
  number: number,
): Promise<PlacedEdit> {
  const { surroundings, records, log } = sources;
  const edits = await records.read(sequence);
  const edit = requireEdit(edits, editId);
  const version = edit.versions.find((one) => one.version === number);
  if (version === undefined) throw new HostError('edit-missing', `The edit ${editId} has no version ${number}.`);
  const before = await findPlacedVersions(surroundings, sequence, [edit]);
  const isPlaced = before.some((one) => one.version === number);
  if (isPlaced) await revert(sources, sequence, editId);
  const placed = isPlaced ? [] : before;
  const project = await openProject(surroundings);
  const remaining = { ...edit, versions: edit.versions.filter((one) => one !== version) };
  const others = edits.filter((one) => one !== edit);
  const changed = remaining.versions.length === 0 ? others : replaceEdit(edits, remaining);
  const writeRecords = await records.writer(sequence, changed);
  const { item, folder } = await findWithFolder(surroundings, project, version.resultId);
  runTransaction(project, 'Forget TokenFlow version', 'host-refused', (add) => {
    add.must(() => folder.createRemoveItemAction(item));
    if (writeRecords !== null) add.optional(writeRecords);
  });
  await records.remember(edit.place.sequenceId, changed);
  if (version.path !== null) {
    await surroundings.fs.unlink(version.path).catch((error: unknown) => {
      log(`${String(version.path)} was not deleted: ${String(error)}`);
    });
  }
  return toEditRecord(remaining, placed);
}

/** Opens the edited clip's media in the Source monitor, at the frame that the playhead is on. */
export async function openOriginal(
  { surroundings, records }: RevertSources,
  sequence: Sequence,
  editId: string,
): Promise<void> {
  const { ppro } = surroundings;
  const { original } = requireEdit(await records.read(sequence), editId);
  const project = await openProject(surroundings, original.projectId);
  const item = await findProjectItem(surroundings, project, original.itemId);
  if (!(await ppro.SourceMonitor.openProjectItem(item))) {
    throw new HostError('host-refused', 'The Source monitor did not open the clip.');
  }
  const playhead = parseTicks((await sequence.getPlayerPosition()).ticks);
  const isWithin = playhead >= parseTicks(original.start) && playhead < parseTicks(original.end);
  // At another speed the frame under the playhead is not known.
  if (original.speed !== 1 || original.isReversed) return;
  const into = isWithin ? playhead - parseTicks(original.start) : 0n;
  const position = String(parseTicks(original.inPoint) + into);
  await ppro.SourceMonitor.setPosition(ppro.TickTime.createWithTicks(position));
}
