// The picture of a frame in an image.

import { setClass } from '../ui.ts';

/** While a frame is loading, the one before stays visible: a gap would flicker. */
export function setPicture(image: HTMLImageElement, url: string | null): void {
  setClass(image, 'stale', url === null);
  if (url !== null && image.getAttribute('src') !== url) image.setAttribute('src', url);
}
