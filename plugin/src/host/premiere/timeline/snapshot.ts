// One selected video clip -> a value that says what it is, or the reason why it cannot be edited.

import type { OutputCodec } from '../../../../../protocol/codecs.ts';
import type { PixelSize } from '../../../../../protocol/media-facts.ts';
import type { ClipWarning, ExportMode, RejectionReason, SelectedClip, TimelineSnapshot } from '../../selection.ts';
import { rateOfTimebase, spansOverlap, wholeFrames } from '../../ticks.ts';
import type { ClipProjectItem, Sequence, Surroundings, VideoClipTrackItem } from '../api.ts';
import { findEditOf, type PlacedVersion } from './placed-versions.ts';
import type { TimelineItem } from './timeline-items.ts';

/** Facts that are the same for every clip of a sequence, read once. */
export interface SequenceFacts {
  readonly sequence: Sequence;
  readonly projectId: string;
  readonly ticksPerFrame: string;
  readonly size: PixelSize;
  readonly tracks: readonly (readonly TimelineItem[])[];
  readonly codec: OutputCodec | null;
  /** Our own edits in the sequence. */
  readonly placedVersions: readonly PlacedVersion[];
}

/** Premiere's own exports of a single frame are unreliable, and there is nothing to keep coherent. */
const minFrames = 2;
/** Rates that differ by less are the same rate, rounded to a decimal. */
const rateTolerance = 0.001;

export type ClipReading =
  { readonly clip: SelectedClip } | { readonly rejected: { readonly name: string; readonly reason: RejectionReason } };

/** Reads one clip of a video track. Rejected only by what the host itself throws. */
export async function readClip(
  surroundings: Surroundings,
  facts: SequenceFacts,
  item: VideoClipTrackItem,
): Promise<ClipReading> {
  const name = await item.getName();
  const rejected = (reason: RejectionReason): ClipReading => ({ rejected: { name, reason } });
  if (await item.isAdjustmentLayer()) return rejected('adjustment-layer');
  const projectItem = (await item.getProjectItem()) as unknown;
  if (projectItem == null) return rejected('no-project-item');
  const clipItem = surroundings.ppro.ClipProjectItem.cast(
    projectItem as Parameters<typeof surroundings.ppro.ClipProjectItem.cast>[0],
  ) as ClipProjectItem | null;
  if (clipItem === null) return rejected('no-media');

  const isNested = await clipItem.isSequence();
  const mediaPath = isNested ? '' : await clipItem.getMediaFilePath();
  if (!isNested && (await clipItem.isOffline())) return rejected('offline');
  if (!isNested && mediaPath === '') return rejected('no-media');

  const snapshot = await readSnapshot(facts, item, mediaPath);
  const frames = wholeFrames(snapshot.start, snapshot.end, snapshot.ticksPerFrame);
  if (frames === null) return rejected('off-frame');
  if (frames < minFrames) return rejected('too-short');
  const edit = findEditOf(facts.placedVersions, snapshot);
  const freeTrackIndex = findFreeTrack(facts.tracks, snapshot);
  // A result of ours needs no track above: its record has its settings, and another version replaces it.
  if (freeTrackIndex === null && edit === null) return rejected('no-free-track');

  const warnings = await readWarnings(item, clipItem, snapshot, isNested);
  return {
    clip: {
      key: keyOf(snapshot),
      name,
      snapshot,
      frames,
      frameRate: rateOfTimebase(snapshot.ticksPerFrame),
      size: facts.size,
      warnings,
      modes: modesOf(warnings),
      sequenceCodec: facts.codec,
      freeTrackIndex,
      edit,
    },
  };
}

async function readSnapshot(
  { sequence, projectId, ticksPerFrame }: SequenceFacts,
  item: VideoClipTrackItem,
  mediaPath: string,
): Promise<TimelineSnapshot> {
  return {
    kind: 'timeline',
    projectId,
    sequenceId: sequence.guid.toString(),
    sequenceName: sequence.name,
    trackIndex: await item.getTrackIndex(),
    start: (await item.getStartTime()).ticks,
    end: (await item.getEndTime()).ticks,
    inPoint: (await item.getInPoint()).ticks,
    outPoint: (await item.getOutPoint()).ticks,
    ticksPerFrame,
    itemId: (await item.getProjectItem()).getId(),
    mediaPath,
    speed: await item.getSpeed(),
    // Typed as a number; any truthy value counts.
    isReversed: Boolean(await item.isSpeedReversed()),
  };
}

/** The lowest video track above the clip with nothing on it for the clip's whole length; null when there is none. */
export function findFreeTrack(
  tracks: readonly (readonly { readonly start: string; readonly end: string }[])[],
  { trackIndex, start, end }: Pick<TimelineSnapshot, 'trackIndex' | 'start' | 'end'>,
): number | null {
  const free = tracks.findIndex(
    (clips, index) => index > trackIndex && !clips.some((clip) => spansOverlap(clip, { start, end })),
  );
  return free < 0 ? null : free;
}

async function readWarnings(
  item: VideoClipTrackItem,
  clipItem: ClipProjectItem,
  snapshot: TimelineSnapshot,
  isNested: boolean,
): Promise<ClipWarning[]> {
  const holds: Record<ClipWarning, boolean> = {
    nested: isNested,
    multicam: await clipItem.isMulticamClip(),
    merged: await clipItem.isMergedClip(),
    reversed: snapshot.isReversed,
    speed: snapshot.speed !== 1,
    proxy: await clipItem.hasProxy(),
    'rate-differs': !isNested && !(await hasRateOf(clipItem, snapshot.ticksPerFrame)),
    disabled: await item.isDisabled(),
  };
  return (Object.keys(holds) as ClipWarning[]).filter((warning) => holds[warning]);
}

async function hasRateOf(clipItem: ClipProjectItem, ticksPerFrame: string): Promise<boolean> {
  const { numerator, denominator } = rateOfTimebase(ticksPerFrame);
  const mediaRate = (await clipItem.getFootageInterpretation()).getFrameRate();
  return Math.abs(mediaRate - numerator / denominator) < rateTolerance;
}

/** The media file itself can be used only if each of its frames is shown once, in order, at its own rate. */
function modesOf(warnings: readonly ClipWarning[]): ExportMode[] {
  const bars: readonly ClipWarning[] = ['nested', 'multicam', 'merged', 'reversed', 'speed', 'rate-differs'];
  return warnings.some((warning) => bars.includes(warning)) ? ['rendered'] : ['rendered', 'source'];
}

function keyOf(snapshot: TimelineSnapshot): string {
  const { sequenceId, trackIndex, start, end, inPoint, outPoint, itemId } = snapshot;
  return [sequenceId, trackIndex, start, end, inPoint, outPoint, itemId].join(' ');
}
