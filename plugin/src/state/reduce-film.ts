// The film strip: it is there as long as a preview is, and its pictures come one by one.

import { pictureKey } from './compare.ts';
import type { PanelEvent } from './events.ts';
import type { PanelState } from './panel-state.ts';
import { previewed } from './preview.ts';

/** After the tasks have heard the event. */
export function reduceFilm(state: PanelState, event: PanelEvent): PanelState {
  const key = previewed(state)?.key ?? null;
  if (key === null) return state.film === null ? state : { ...state, film: null };
  if (state.film?.key !== key) return { ...state, film: { key, pictures: {} } };
  if (event.type !== 'shot-changed' || event.key !== key) return state;
  const { side, shot, picture } = event;
  const pictures = { ...state.film.pictures, [pictureKey(side, shot)]: picture };
  return { ...state, film: { key, pictures } };
}
