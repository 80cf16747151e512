// The range of a clip in its media file, for an edit of the file itself.

import type { TimelineSnapshot } from './selection.ts';
import { parseTicks, toSeconds } from './ticks.ts';

/** In seconds of the media. The end is computed from the length on the timeline, a whole number of frames. */
export function sourceRange({ start, end, inPoint }: TimelineSnapshot): {
  readonly startSeconds: number;
  readonly endSeconds: number;
} {
  const length = parseTicks(end) - parseTicks(start);
  return {
    startSeconds: toSeconds(inPoint),
    endSeconds: toSeconds(String(parseTicks(inPoint) + length)),
  };
}
