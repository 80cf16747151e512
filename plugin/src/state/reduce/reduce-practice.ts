// What waits because the practice model does not know the clip or the words.

import { applyBlock, previewBlock } from '../choices.ts';
import type { PanelEvent } from '../events.ts';
import type { HeldPress, PanelState } from '../panel-state.ts';
import { openDoubt, practiceDoubt } from '../practice.ts';

export function reducePractice(state: PanelState, event: PanelEvent): PanelState {
  switch (event.type) {
    case 'apply-pressed':
      return applyBlock(state) === null ? hold(state, 'apply') : state;
    case 'preview-pressed':
      return previewBlock(state) === null ? hold(state, 'preview') : state;
    case 'practice-accepted':
      return { ...state, practice: { held: null, accepted: practiceDoubt(state)?.key ?? null } };
    // Other words or another clip: what was pressed before is not meant any more.
    case 'form-changed':
    case 'history-chosen':
    case 'rerun-pressed':
    case 'selection-read':
      return state.practice.held === null ? state : { ...state, practice: { ...state.practice, held: null } };
    default:
      return state;
  }
}

function hold(state: PanelState, held: HeldPress): PanelState {
  return openDoubt(state) === null ? state : { ...state, practice: { ...state.practice, held } };
}
