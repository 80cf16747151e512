// Puts a result on the timeline: exactly as long as its original, on a track that is free there, in one undo step.
// Everything is checked first; when something is not as expected, nothing is placed.

import type { PlacedEdit, EditVersion, PlaceRequest } from '../../edits.ts';
import { HostError } from '../../problems.ts';
import type { TimelineSnapshot } from '../../selection.ts';
import { parseTicks, spansOverlap, type Ticks } from '../../ticks.ts';
import type { Project, ProjectItem, Sequence, Surroundings } from '../api.ts';
import type { EditRecords, StoredEdit } from './placed-edits.ts';
import { findPlacedVersions, isAt, requireEdit, toEditRecord } from './placed-versions.ts';
import { findProjectItem } from './project-items.ts';
import { findFreeTrack } from './snapshot.ts';
import { findSequence, findSnapshot, itemIdOf, openProject, readTrack, readTracks } from './timeline-items.ts';
import { runTransaction } from './transaction.ts';

export interface PlaceSources {
  readonly surroundings: Surroundings;
  readonly records: EditRecords;
  /** A new id for an edit. */
  readonly newId: () => string;
  readonly log: (line: string) => void;
}

type TimelineSlot = StoredEdit['place'];

/** Places a new result; a new version of an edit replaces the visible one. */
export async function placeResult(sources: PlaceSources, request: PlaceRequest): Promise<PlacedEdit> {
  const { original } = request;
  if (original.kind !== 'timeline') throw new HostError('place-failed', 'No clip of a timeline.');
  const project = await openProject(sources.surroundings, original.projectId);
  const sequence = await findSequence(project, original.sequenceId);
  const edits = await sources.records.read(sequence);
  const earlier = request.editId === null ? null : requireEdit(edits, request.editId);
  const version: EditVersion = {
    version: 1 + Math.max(0, ...(earlier?.versions ?? []).map((one) => one.version)),
    recipe: request.recipe,
    resultId: request.result.resultId,
    path: request.result.path,
  };
  const edit: StoredEdit = {
    ...(earlier ?? { editId: sources.newId(), original, originalName: request.originalName }),
    place: await chooseTimelineSlot(sources, sequence, { original, earlier, evenIfChanged: request.evenIfChanged }),
    versions: [...(earlier?.versions ?? []), version],
  };
  return put(sources, { project, sequence, edits, edit, version, hasAudio: request.hasAudio });
}

/** Puts an earlier version back in the edit's place. */
export async function placeVersion(
  sources: PlaceSources,
  sequence: Sequence,
  editId: string,
  number: number,
): Promise<PlacedEdit> {
  const edits = await sources.records.read(sequence);
  const earlier = requireEdit(edits, editId);
  const version = earlier.versions.find((one) => one.version === number);
  if (version === undefined) {
    throw new HostError('edit-missing', `Edit ${editId} has no version ${number}.`);
  }
  const project = await openProject(sources.surroundings, earlier.original.projectId);
  const { original } = earlier;
  const place = await chooseTimelineSlot(sources, sequence, { original, earlier, evenIfChanged: false });
  const edit = { ...earlier, place };
  return put(sources, { project, sequence, edits, edit, version, hasAudio: null });
}

/** Throws HostError `timeline-changed` or `no-free-track`. */
async function chooseTimelineSlot(
  { surroundings }: PlaceSources,
  sequence: Sequence,
  wish: {
    readonly original: TimelineSnapshot;
    readonly earlier: StoredEdit | null;
    readonly evenIfChanged: boolean;
  },
): Promise<TimelineSlot> {
  const { original, earlier, evenIfChanged } = wish;
  const { start, end } = original;
  const span = { sequenceId: original.sequenceId, start, end };
  if (earlier !== null) {
    const [placed] = await findPlacedVersions(surroundings, sequence, [earlier]);
    if (placed !== undefined && isAt(placed.clip, earlier.place)) return earlier.place;
    if (placed !== undefined && !evenIfChanged) {
      throw new HostError('timeline-changed', 'The version that shows was moved or trimmed.');
    }
  }
  if (!evenIfChanged && (await findSnapshot(surroundings, sequence, original)) === undefined) {
    throw new HostError('timeline-changed', `The clip is not at ${start} on V${original.trackIndex + 1} any more.`);
  }
  const trackIndex = findFreeTrack(await readTracks(surroundings, sequence), original);
  if (trackIndex !== null) return { ...span, trackIndex };
  throw new HostError('no-free-track', `No track above V${original.trackIndex + 1} is free from ${start} to ${end}.`);
}

interface Put {
  readonly project: Project;
  readonly sequence: Sequence;
  readonly edits: readonly StoredEdit[];
  readonly edit: StoredEdit;
  readonly version: EditVersion;
  readonly hasAudio: boolean | null;
}

async function put(sources: PlaceSources, wish: Put): Promise<PlacedEdit> {
  const { surroundings, records, log } = sources;
  const { ppro } = surroundings;
  const { project, sequence, edit, version } = wish;
  const { place } = edit;
  const item = await findProjectItem(surroundings, project, version.resultId);
  await requireFit(surroundings, item, place);
  const audioIndex = await chooseAudioTrack(surroundings, sequence, place, wish.hasAudio);
  const changed = replaceEdit(wish.edits, edit);
  const writeRecords = await records.writer(sequence, changed);
  const editor = ppro.SequenceEditor.getEditor(sequence);
  const start = ppro.TickTime.createWithTicks(place.start);

  log(`Places ${version.path ?? version.resultId} on V${place.trackIndex + 1}, A${audioIndex + 1} at ${place.start}.`);
  const leftOut = runTransaction(project, 'Place TokenFlow edit', 'place-failed', (add) => {
    add.must(() => editor.createOverwriteItemAction(item, start, place.trackIndex, audioIndex));
    if (writeRecords !== null) add.optional(writeRecords);
  });
  for (const reason of leftOut) log(`The record of the edit is not in the sequence: ${reason}`);

  await records.remember(place.sequenceId, changed);
  const placed = await findPlacedVersions(surroundings, sequence, [edit]);
  const isThere = placed.some((one) => one.version === version.version && isAt(one.clip, place));
  if (isThere) return toEditRecord(edit, placed);
  const found = await describeTrack(surroundings, sequence, place.trackIndex);
  throw new HostError(
    'place-mismatch',
    `Expected ${place.start} to ${place.end} on V${place.trackIndex + 1}; there is ${found}.`,
  );
}

export function replaceEdit(edits: readonly StoredEdit[], edit: StoredEdit): StoredEdit[] {
  const isKnown = edits.some(({ editId }) => editId === edit.editId);
  return isKnown ? edits.map((one) => (one.editId === edit.editId ? edit : one)) : [...edits, edit];
}

/** An edit takes as much of an item as its in and out points say, over whatever is there: so they must fit. */
async function requireFit({ ppro }: Surroundings, item: ProjectItem, place: TimelineSlot): Promise<void> {
  const clip = ppro.ClipProjectItem.cast(item);
  const video = ppro.Constants.MediaType.VIDEO;
  const inPoint = parseTicks((await clip.getInPoint(video)).ticks);
  const outPoint = parseTicks((await clip.getOutPoint(video)).ticks);
  const wanted = parseTicks(place.end) - parseTicks(place.start);
  if (outPoint - inPoint === wanted) return;
  throw new HostError('result-unfit', `The result lasts ${outPoint - inPoint} ticks, its place ${wanted}.`);
}

/** The sound of an item lands on an audio track and overwrites what is there. */
async function chooseAudioTrack(
  { ppro }: Surroundings,
  sequence: Sequence,
  span: { readonly start: Ticks; readonly end: Ticks },
  hasAudio: boolean | null,
): Promise<number> {
  const count = await sequence.getAudioTrackCount();
  for (let index = 0; index < count; index += 1) {
    const track = await sequence.getAudioTrack(index);
    const items = track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false);
    const spans = await Promise.all(
      items.map(async (item) => ({
        start: (await item.getStartTime()).ticks,
        end: (await item.getEndTime()).ticks,
      })),
    );
    if (!spans.some((taken) => spansOverlap(taken, span))) return index;
  }
  if (hasAudio === false) return 0;
  throw new HostError('no-free-audio-track', `No audio track is free from ${span.start} to ${span.end}.`);
}

async function describeTrack(surroundings: Surroundings, sequence: Sequence, trackIndex: number): Promise<string> {
  const clips = await readTrack(surroundings, sequence, trackIndex);
  const told = clips.map(async ({ start, end, item }) => `${await itemIdOf(item)} ${start}-${end}`);
  return (await Promise.all(told)).join(', ') || 'nothing';
}
