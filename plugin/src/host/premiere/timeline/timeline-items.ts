// Reads clips off video tracks as plain values with the live object beside each. Live objects grow stale when the
// sequence changes, so they are read again for every step and never kept.

import { HostError } from '../../problems.ts';
import type { TimelineSnapshot } from '../../selection.ts';
import { parseTicks, type Ticks } from '../../ticks.ts';
import type { Project, ProjectItem, Sequence, Surroundings, VideoClipTrackItem } from '../api.ts';

/** A clip on a video track. `item` is good until the next change of the sequence. */
export interface TimelineItem {
  readonly trackIndex: number;
  readonly start: Ticks;
  readonly end: Ticks;
  readonly item: VideoClipTrackItem;
}

/** The clips of one video track, from left to right. */
export async function readTrack(
  { ppro }: Surroundings,
  sequence: Sequence,
  trackIndex: number,
): Promise<TimelineItem[]> {
  const track = await sequence.getVideoTrack(trackIndex);
  const items = track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false);
  const read = items.map(async (item) => ({
    trackIndex,
    start: (await item.getStartTime()).ticks,
    end: (await item.getEndTime()).ticks,
    item,
  }));
  const clips = await Promise.all(read);
  return clips.sort((a, b) => (parseTicks(a.start) < parseTicks(b.start) ? -1 : 1));
}

/** The clips of every video track, V1 first. */
export async function readTracks(surroundings: Surroundings, sequence: Sequence): Promise<TimelineItem[][]> {
  const count = await sequence.getVideoTrackCount();
  const tracks: TimelineItem[][] = [];
  for (let index = 0; index < count; index += 1) {
    tracks.push(await readTrack(surroundings, sequence, index));
  }
  return tracks;
}

/** The open project, which must be the one that `projectId` names. Throws HostError `project-closed`. */
export async function openProject({ ppro }: Surroundings, projectId?: string): Promise<Project> {
  const project = (await ppro.Project.getActiveProject()) as Project | null | undefined;
  if (project == null) throw new HostError('project-closed', 'No project is open.');
  const id = project.guid.toString();
  if (projectId === undefined || id === projectId) return project;
  throw new HostError('project-closed', `Project ${projectId} is not the active one, ${id} is.`);
}

/** Throws HostError `sequence-closed` when the project has no sequence of that id. */
export async function findSequence(project: Project, sequenceId: string): Promise<Sequence> {
  const sequences = await project.getSequences();
  const found = sequences.find(({ guid }) => guid.toString() === sequenceId);
  if (found !== undefined) return found;
  throw new HostError('sequence-closed', `The project has no sequence ${sequenceId}.`);
}

/** The clip that stands exactly where and as the snapshot says, or undefined. */
export async function findSnapshot(
  surroundings: Surroundings,
  sequence: Sequence,
  snapshot: TimelineSnapshot,
): Promise<TimelineItem | undefined> {
  if (snapshot.trackIndex >= (await sequence.getVideoTrackCount())) return undefined;
  const track = await readTrack(surroundings, sequence, snapshot.trackIndex);
  const clip = track.find(({ start, end }) => start === snapshot.start && end === snapshot.end);
  if (clip === undefined) return undefined;
  const isSame =
    (await clip.item.getInPoint()).ticks === snapshot.inPoint &&
    (await clip.item.getOutPoint()).ticks === snapshot.outPoint &&
    (await itemIdOf(clip.item)) === snapshot.itemId;
  return isSame ? clip : undefined;
}

/** Id of the project item that a clip shows; null when it has none. */
export async function itemIdOf(item: VideoClipTrackItem): Promise<string | null> {
  const projectItem = (await item.getProjectItem()) as ProjectItem | null | undefined;
  return projectItem?.getId() ?? null;
}
