// The selection of the active sequence. It is read completely each time: Premiere's events only say that it changed.

import type { EmptyReason, RejectedItem, SelectedClip, SelectionReading } from '../../selection.ts';
import { parseTicks } from '../../ticks.ts';
import type { Project, Sequence, Surroundings, VideoClipTrackItem } from '../api.ts';
import type { PlacedVersion } from './placed-versions.ts';
import { readSequenceCodec } from './sequence-codec.ts';
import { readClip, type SequenceFacts } from './snapshot.ts';
import { readTracks } from './timeline-items.ts';

export interface SelectionSources {
  readonly surroundings: Surroundings;
  /** Our own edits in the sequence. */
  readonly placedVersions: (sequence: Sequence) => Promise<readonly PlacedVersion[]>;
  readonly log: (line: string) => void;
}

/** Never throws because of the selection. */
export async function readSelection(sources: SelectionSources): Promise<SelectionReading> {
  const { ppro } = sources.surroundings;
  const project = (await ppro.Project.getActiveProject()) as Project | null | undefined;
  if (project == null) return emptyReading('no-project');
  const sequence = (await project.getActiveSequence()) as Sequence | null | undefined;
  if (sequence == null) return { ...emptyReading('no-sequence'), project: nameOf(project) };

  const items = await (await sequence.getSelection()).getTrackItems();
  const facts = await readSequenceFacts(sources, project, sequence);
  const videoTypes = await mediaTypesOfVideo(sequence);
  const clips: SelectedClip[] = [];
  const rejected: RejectedItem[] = [];
  let hasSound = false;
  for (const item of items) {
    try {
      const mediaType = (await item.getMediaType()).toString();
      if (!videoTypes.has(mediaType)) {
        hasSound = true;
        continue;
      }
      // Of the declared kinds of selected items, the ones with a video track's media type are video clips.
      const reading = await readClip(sources.surroundings, facts, item as VideoClipTrackItem);
      if ('rejected' in reading) rejected.push(reading.rejected);
      else clips.push(reading.clip);
    } catch (error) {
      sources.log(`A selected item could not be read: ${String(error)}`);
      rejected.push({ name: '', reason: 'unreadable' });
    }
  }
  // Sound is selected together with its picture; it is a reason only where it stands alone.
  if (hasSound && clips.length === 0 && rejected.length === 0) {
    rejected.push({ name: '', reason: 'audio-only' });
  }
  return {
    project: nameOf(project),
    sequence: { id: sequence.guid.toString(), name: sequence.name },
    clips: clips.sort(byPlace),
    rejected,
    empty: items.length === 0 ? 'nothing-selected' : null,
  };
}

function emptyReading(empty: EmptyReason): SelectionReading {
  return { project: null, sequence: null, clips: [], rejected: [], empty };
}

function nameOf(project: Project): { readonly id: string; readonly name: string } {
  return { id: project.guid.toString(), name: project.name };
}

async function readSequenceFacts(
  { surroundings, placedVersions, log }: SelectionSources,
  project: Project,
  sequence: Sequence,
): Promise<SequenceFacts> {
  const { width, height } = await sequence.getFrameSize();
  return {
    sequence,
    projectId: project.guid.toString(),
    ticksPerFrame: await sequence.getTimebase(),
    size: { width, height },
    codec: await readSequenceCodec(sequence, log),
    tracks: await readTracks(surroundings, sequence),
    placedVersions: await placedVersions(sequence),
  };
}

/** Media types can be distinguished only by comparing them with those of tracks. */
async function mediaTypesOfVideo(sequence: Sequence): Promise<ReadonlySet<string>> {
  if ((await sequence.getVideoTrackCount()) === 0) return new Set();
  const track = await sequence.getVideoTrack(0);
  return new Set([(await track.getMediaType()).toString()]);
}

function byPlace(a: SelectedClip, b: SelectedClip): number {
  if (a.snapshot.kind === 'file' || b.snapshot.kind === 'file') return 0;
  const lead = parseTicks(a.snapshot.start) - parseTicks(b.snapshot.start);
  return lead === 0n ? a.snapshot.trackIndex - b.snapshot.trackIndex : lead < 0n ? -1 : 1;
}
