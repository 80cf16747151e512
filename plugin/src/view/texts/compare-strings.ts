// The page that compares an edit with the original.

import type { CompareMode } from '../../state/compare.ts';

export const compareTexts = {
  compare: {
    empty: 'When an edit is done, compare it here with the original.',
    loading: 'Fetching frames...',
    modesLabel: 'How to compare',
    preparing: 'Preparing the video...',
    noVideo:
      'This browser cannot play H.264 video: pictures are shown one after the other, slower where they come late.',
    loop: 'Loop',
    larger: 'Larger',
    smaller: 'Smaller',
    whole: 'Show the whole picture',
    modes: {
      wipe: 'Wipe',
      side: 'Side by side',
      flip: 'Flip',
      difference: 'Difference',
      flicker: 'Flicker',
    } satisfies Record<CompareMode, string>,
    original: 'Original',
    edit: 'Edit',
    play: 'Play',
    pause: 'Pause',
    scrubber: 'Frame',
    divider: 'Divider between original and edit',
    frame: (frame: number, frames: number) => `${frame} / ${frames}`,
    keyframe: (frame: number, frames: number) => `Reference frame ${frame} / ${frames}`,
    keys: 'Space plays, arrows step, \\ flips, + and - zoom',
    differenceNote: 'Bright where the edit differs from the original.',
    flickerNote: 'Warm where the edit changes from the frame before and the original does not.',
    onTimeline: { hide: 'Hide on timeline', show: 'Show on timeline' },
    sourceMonitor: 'Original in Source monitor',
    missing: 'This frame could not be fetched.',
  },
};
