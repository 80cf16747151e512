// The preview strip: it exists as long as its preview, and its pictures come one by one.

import { pictureKey } from '../compare.ts';
import type { PanelEvent } from '../events.ts';
import type { PanelState } from '../panel-state.ts';
import { previewed } from '../preview.ts';

/** Runs after the tasks have handled the event. */
export function reducePreviewStrip(state: PanelState, event: PanelEvent): PanelState {
  const key = previewed(state)?.key ?? null;
  if (key === null) return state.previewStrip === null ? state : { ...state, previewStrip: null };
  if (state.previewStrip?.key !== key) return { ...state, previewStrip: { key, pictures: {} } };
  if (event.type !== 'preview-frame-changed' || event.key !== key) return state;
  const { side, index, picture } = event;
  const pictures = { ...state.previewStrip.pictures, [pictureKey(side, index)]: picture };
  return { ...state, previewStrip: { key, pictures } };
}
