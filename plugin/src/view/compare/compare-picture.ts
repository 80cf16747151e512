// One picture of a comparison.

import type { Context } from '../context.ts';
import { setClass } from '../ui.ts';

export interface PicturePiece {
  readonly root: HTMLElement;
  update(url: string | null): void;
}

export function createPicture({ ui }: Context, label: string): PicturePiece {
  const image = ui.el('img', 'picture');
  image.draggable = false;
  image.alt = label;
  const tag = ui.el('span', 'tag', label);
  const root = ui.el('div', 'frame', image, ...(label === '' ? [] : [tag]));
  return { root, update: (url) => setPicture(image, url) };
}

/** While a frame is loading, the one before stays visible: a gap would flicker. */
export function setPicture(image: HTMLImageElement, url: string | null): void {
  setClass(image, 'stale', url === null);
  if (url !== null && image.getAttribute('src') !== url) image.setAttribute('src', url);
}
