// What may change.

import type { RegionKind, RegionTool } from '../../state/region.ts';

export const regionTexts = {
  region: {
    title: 'What may change',
    kinds: { whole: 'Everything', drawn: 'A region', words: 'By words' } satisfies Record<RegionKind, string>,
    made: (words: string | null) => (words === null ? 'A region' : `What "${words}" names`),
    tool: 'Draw',
    tools: {
      rectangle: 'Rectangle',
      ellipse: 'Ellipse',
      polygon: 'Polygon',
      brush: 'Brush',
    } satisfies Record<RegionTool, string>,
    erase: 'Erase',
    undo: 'Undo',
    clear: 'Clear all',
    close: 'Close the polygon',
    invert: 'Invert',
    follows: 'Follows what it covers',
    asAlpha: 'Layer with alpha',
    asAlphaHint: 'Only the region lies above the clip; the clip itself shows around it. The file is ProRes 4444.',
    feather: 'Feather, pixels',
    still: 'A frame of the clip, to draw on',
    frame: 'Frame to draw on',
    frameOf: (frame: number, frames: number) => `${frame} of ${frames}`,
    byKeys: 'Set a point',
    place: (x: number, y: number) => `Arrow keys move the cross: ${x} % across, ${y} % down.`,
    drawnHint: 'Where it slips in a later frame, draw it there as well.',
    getStill: 'Get a frame of the clip',
    getStillHint: 'The clip is exported for this.',
    fetching: 'Fetching a frame...',
    noClip: 'Select a clip to draw on.',
    noStill: 'There is no frame to draw on.',
    words: 'Words for what may change',
    wordsPlaceholder: 'the wolf',
    wordsHint: 'As you wrote it under "What is in the clip now?".',
    notInSource: 'These words are not under "What is in the clip now?". Write them there as well.',
  },
};
