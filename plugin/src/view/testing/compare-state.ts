// A comparison whose pictures have come, for the gallery.

import { wholePicture, type CompareMode } from '../../state/compare.ts';
import type { PlacedEdit } from '../../host/edits.ts';
import type { PanelState } from '../../state/panel-state.ts';
import { doubledDistance, drawHarbour, summer, winter } from './drawn-frames.ts';

const frameIndex = 3;

/** `state` with the comparison of the first version of `edit` open. */
export function withComparison(state: PanelState, edit: PlacedEdit, mode: CompareMode): PanelState {
  const { editId } = edit;
  return {
    ...state,
    page: 'compare',
    edits: [edit],
    editId,
    isShown: true,
    compare: {
      about: { kind: 'version', editId, version: 1 },
      subject: {
        jobId: 'a'.repeat(32),
        clipId: 'c'.repeat(32),
        frames: 50,
        firstFrame: 0,
        frameRate: { numerator: 25, denominator: 1 },
        frameIndices: null,
        size: { width: 1920, height: 1080 },
      },
      mode,
      shown: 'edit',
      frameIndex,
      isPlaying: false,
      isLooping: true,
      zoom: wholePicture,
      motion: {},
      videos: {},
      divider: 0.45,
      problem: null,
      pictures: {
        [`original-${frameIndex}`]: drawHarbour(frameIndex, summer),
        [`edit-${frameIndex}`]: drawHarbour(frameIndex, winter),
        [`difference-${frameIndex}`]: drawHarbour(frameIndex, doubledDistance(summer, winter)),
      },
    },
  };
}
