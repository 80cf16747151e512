// Which part of a sent clip is edited, so that the result has exactly the frames that fit on the timeline.

import type { MediaFacts } from '../../../protocol/media-facts.ts';
import { HostError } from '../host/problems.ts';
import type { ClipSnapshot, ExportMode } from '../host/selection.ts';
import { sourceRange } from '../host/source-range.ts';
import type { ClipRange } from '../state/form.ts';

/** Frames that an export may have too many: whether Premiere's out point belongs to it is not documented. */
const toleratedFrames = 1;

/** Null for all of it, or for a file, whose range is in its settings. Throws HostError `export-failed`. */
export function rangeToEdit(
  clip: {
    readonly snapshot: ClipSnapshot;
    readonly mode: ExportMode;
    readonly frames: number | null;
  },
  { frameCount, frameRate }: Pick<MediaFacts, 'frameCount' | 'frameRate'>,
): ClipRange {
  const { snapshot, mode, frames } = clip;
  if (snapshot.kind === 'file') return null;
  if (mode === 'source') return sourceRange(snapshot);
  if (frames === null || frameCount === frames) return null;
  const surplus = frameCount - frames;
  if (surplus > 0 && surplus <= toleratedFrames) {
    return { startSeconds: 0, endSeconds: (frames * frameRate.denominator) / frameRate.numerator };
  }
  throw new HostError('export-failed', `The export has ${frameCount} frames instead of ${frames}.`);
}
