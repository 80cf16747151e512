// The keyboard of the compare page: space plays, arrows step, `\` flips, `+` and `-` zoom, L loops. Esc closes overlays.

import type { PanelEvent } from '../state/events.ts';
import type { PanelState } from '../state/panel-state.ts';

export interface KeyPress {
  readonly key: string;
  readonly shiftKey: boolean;
  /** Ctrl, Alt or Cmd is held: the host's own commands. */
  readonly isCommand: boolean;
  /** The key was pressed in a field, whose own it is. */
  readonly isInField: boolean;
  /** The key was pressed on a button, which space presses. */
  readonly isOnButton: boolean;
}

const bigStep = 10;
/** How much larger one press makes the picture. */
export const zoomStep = 1.5;

/** What a key does, or null. */
export function eventOfKey(press: KeyPress, state: PanelState): PanelEvent | null {
  if (press.key === 'Escape' && state.overlay !== null) return { type: 'overlay-closed' };
  if (press.isCommand || press.isInField || state.overlay !== null) return null;
  const { compare } = state;
  if (compare === null || state.page !== 'compare') return null;
  const step = press.shiftKey ? bigStep : 1;
  switch (press.key) {
    case ' ':
      return press.isOnButton ? null : { type: 'play-toggled' };
    case 'ArrowLeft':
      return { type: 'frame-chosen', frameIndex: compare.frameIndex - step };
    case 'ArrowRight':
      return { type: 'frame-chosen', frameIndex: compare.frameIndex + step };
    case 'Home':
      return { type: 'frame-chosen', frameIndex: 0 };
    case 'End':
      return { type: 'frame-chosen', frameIndex: (compare.subject?.frames ?? 1) - 1 };
    case '+':
    case '=':
      return { type: 'zoomed', factor: zoomStep, x: 0.5, y: 0.5 };
    case '-':
      return { type: 'zoomed', factor: 1 / zoomStep, x: 0.5, y: 0.5 };
    case '0':
      return { type: 'zoom-ended' };
    case 'l':
      return { type: 'loop-toggled' };
    case '\\':
      return { type: 'compare-flipped' };
    default:
      return null;
  }
}
