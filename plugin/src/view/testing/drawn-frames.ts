// Frames for the gallery: a boat in a harbour, drawn, so that no clip is needed.

import type { Picture } from '../../state/compare.ts';

export interface Palette {
  readonly sky: string;
  readonly sea: string;
  readonly boat: string;
}

/** The boat is farther right in every next frame. */
export function drawHarbour(frame: number, { sky, sea, boat }: Palette): Picture {
  const x = 40 + frame * 34;
  const svg = [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180">',
    `<rect width="320" height="180" fill="${sky}"/>`,
    '<circle cx="262" cy="42" r="20" fill="#ffffff" opacity="0.75"/>',
    `<rect y="112" width="320" height="68" fill="${sea}"/>`,
    `<path d="M${x} 128h62l-10 20h-42zM${x + 30} 126v-62l26 50h-26z" fill="${boat}"/>`,
    '</svg>',
  ].join('');
  return { name: 'ready', url: `data:image/svg+xml,${encodeURIComponent(svg)}` };
}
