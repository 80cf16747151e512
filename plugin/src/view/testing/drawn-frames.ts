// Frames for the gallery: a boat in a harbour, drawn, so that no clip is needed.

import type { Picture } from '../../state/compare.ts';

/** Colours as 0xRRGGBB. */
export interface Palette {
  readonly sky: number;
  readonly sea: number;
  readonly boat: number;
  readonly sun: number;
}

export const winter: Palette = { sky: 0xcfd8e6, sea: 0x8fa3b8, boat: 0xf4f6fa, sun: 0xf4f6fb };
export const summer: Palette = { sky: 0x8cc4f0, sea: 0x2f6f9f, boat: 0xc8503c, sun: 0xf4f6fb };

/** The colours of the map of difference between two pictures that are equal but for their colours. */
export function doubledDistance(one: Palette, other: Palette): Palette {
  const between = (a: number, b: number): number =>
    [16, 8, 0].reduce((colour, shift) => {
      const distance = Math.abs(((a >> shift) & 255) - ((b >> shift) & 255));
      return colour | (Math.min(255, distance * 2) << shift);
    }, 0);
  return {
    sky: between(one.sky, other.sky),
    sea: between(one.sea, other.sea),
    boat: between(one.boat, other.boat),
    sun: between(one.sun, other.sun),
  };
}

/** The boat is farther right in every next frame. */
export function drawHarbour(frame: number, { sky, sea, boat, sun }: Palette): Picture {
  const x = 40 + frame * 34;
  const svg = [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180">',
    `<rect width="320" height="180" fill="${css(sky)}"/>`,
    `<circle cx="262" cy="42" r="20" fill="${css(sun)}"/>`,
    `<rect y="112" width="320" height="68" fill="${css(sea)}"/>`,
    `<path d="M${x} 128h62l-10 20h-42zM${x + 30} 126v-62l26 50h-26z" fill="${css(boat)}"/>`,
    '</svg>',
  ].join('');
  return { name: 'ready', url: `data:image/svg+xml,${encodeURIComponent(svg)}` };
}

/** The address of such a picture. */
export function harbourUrl(frame: number, palette: Palette): string {
  const picture = drawHarbour(frame, palette);
  if (picture.name !== 'ready') throw new Error('A drawn picture is always there.');
  return picture.url;
}

const css = (colour: number): string => `#${colour.toString(16).padStart(6, '0')}`;
