// Difference and flicker as pictures that the browser computes from two frames of each side. UXP cannot draw an image on a
// canvas, so there these modes are not offered.

import { pictureUrl, type CompareState } from '../state/compare.ts';
import type { Context } from './context.ts';
import { differenceMap, flickerMap, type Pixels } from './pixel-maps.ts';
import { show } from './ui.ts';

/** Pixels of the longer side that are computed. */
const maxSide = 480;

export function createMapView({ ui }: Context) {
  const canvas = ui.el('canvas', 'picture');
  const root = ui.el('div', 'frame gone', canvas);
  const scratch = ui.el('canvas', '');
  let painted = '';

  async function paint(
    urls: readonly string[],
    mode: 'difference' | 'flicker',
    wish: string,
  ): Promise<void> {
    const images = await Promise.all(urls.map(load));
    if (painted !== wish) return;
    const first = images[0];
    if (first === undefined) return;
    const scale = Math.min(1, maxSide / Math.max(first.naturalWidth, first.naturalHeight));
    const width = Math.max(1, Math.round(first.naturalWidth * scale));
    const height = Math.max(1, Math.round(first.naturalHeight * scale));
    const [original, edit, originalBefore, editBefore] = images.map((image) =>
      pixelsOf(image, width, height),
    );
    if (original === undefined || edit === undefined) return;
    const map =
      mode === 'difference'
        ? differenceMap(original, edit)
        : flickerMap(original, edit, originalBefore ?? original, editBefore ?? edit);
    canvas.width = width;
    canvas.height = height;
    canvas.getContext('2d')?.putImageData(new ImageData(map, width, height), 0, 0);
  }

  function pixelsOf(image: HTMLImageElement, width: number, height: number): Pixels {
    scratch.width = width;
    scratch.height = height;
    const drawing = scratch.getContext('2d', { willReadFrequently: true });
    if (drawing === null) throw new Error('The browser gives no canvas to draw on.');
    drawing.drawImage(image, 0, 0, width, height);
    return drawing.getImageData(0, 0, width, height).data;
  }

  function load(url: string): Promise<HTMLImageElement> {
    const image = ui.el('img', '');
    image.src = url;
    return image.decode().then(() => image);
  }

  return {
    root,
    update(compare: CompareState): void {
      const { mode, frameIndex } = compare;
      const isMap = mode === 'difference' || mode === 'flicker';
      show(root, isMap);
      if (!isMap) return;
      const before = mode === 'flicker' ? Math.max(0, frameIndex - 1) : null;
      const urls = [
        pictureUrl(compare, 'original', frameIndex),
        pictureUrl(compare, 'edit', frameIndex),
        ...(before === null
          ? []
          : [pictureUrl(compare, 'original', before), pictureUrl(compare, 'edit', before)]),
      ];
      const ready = urls.filter((url) => url !== null);
      const wish = `${mode} ${urls.join(' ')}`;
      if (ready.length < urls.length || wish === painted) return;
      painted = wish;
      paint(ready, mode, wish).catch(() => {
        // A picture that was dropped meanwhile: the next change paints again.
        if (painted === wish) painted = '';
      });
    },
  };
}
