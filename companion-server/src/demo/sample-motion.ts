// The exact motion of the sample clip, which no camera can deliver.

import type { SourceMotion } from '../metrics/temporal.ts';
import { toPixels, toScene, type SampleOptions } from './sample-frame.ts';
import { follow, layerAt, momentAt, shadowAt, type Layer, type Moment } from './scene.ts';

export type SampleMotion = SourceMotion & { readonly object: Uint8Array };

/** Largest change of the ball's shadow along the ground's motion that still counts as the same brightness. */
const maxShadowChange = 0.015;

/**
 * The motion from frame `index` to the next, and the ball's mask. A vector is known where the same surface is seen,
 * whole and equally lit, in both frames.
 */
export function sampleMotion(index: number, options: SampleOptions): SampleMotion {
  const { width, height } = options;
  const plane = width * height;
  const [from, to] = [momentAt(index, options), momentAt(index + 1, options)];
  const data = new Float32Array(2 * plane);
  const known = new Uint8Array(plane);
  const object = new Uint8Array(plane);
  for (let i = 0; i < plane; i++) {
    const [px, py] = [(i % width) + 0.5, Math.floor(i / width) + 0.5];
    const here = toScene(px, py, options);
    const layer = layerAt(here.x, here.y, from, options);
    const there = follow(layer, here.x, here.y, from, to);
    const end = toPixels(there.x, there.y, options);
    data[i] = end.x - px;
    data[plane + i] = end.y - py;
    if (layer === 'ball') object[i] = 1;
    const shadowChange = shadowAt(here.x, here.y, from) - shadowAt(there.x, there.y, to);
    const isLitAlike = layer !== 'ground' || Math.abs(shadowChange) < maxShadowChange;
    const isSeen = isWithin(layer, px, py, from, options) && isWithin(layer, end.x, end.y, to, options);
    if (isLitAlike && isSeen) known[i] = 1;
  }
  return { flow: { width, height, vectors: { dims: [2, height, width], data }, known }, object };
}

/** The motion of every pair of frames, one at a time. */
export function* sampleMotions(options: SampleOptions): Generator<SampleMotion, void, undefined> {
  for (let index = 0; index + 1 < options.frames; index++) yield sampleMotion(index, options);
}

/** Whether the pixel centred at (px, py) and the ones around it belong to `layer`, inside the picture. */
function isWithin(layer: Layer, px: number, py: number, moment: Moment, options: SampleOptions): boolean {
  const { width, height } = options;
  if (px < 0.5 || py < 0.5 || px > width - 0.5 || py > height - 0.5) return false;
  for (let dy = -1.5; dy <= 1.5; dy += 1.5) {
    for (let dx = -1.5; dx <= 1.5; dx += 1.5) {
      const { x, y } = toScene(px + dx, py + dy, options);
      if (layerAt(x, y, moment, options) !== layer) return false;
    }
  }
  return true;
}
