// The seed of the keyframes. Cached correspondences depend on the keyframes. So with a cached source the seed comes from
// the clip, and the user's seed can change without another inversion.

import { createHash } from 'node:crypto';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { ChosenSettings } from './edit-defaults.ts';

type ClipShape = Pick<ClipInfo, 'frameCount' | 'frameRate' | 'displaySize'>;

/**
 * 0..2^32-1. With `sceneByScene`, when an inversion caches data about keyframes, the same for all edits of a clip; else
 * the user's seed, because no inversion depends on it then.
 */
export function keyframeSeed(
  { frameCount, frameRate, displaySize }: ClipShape,
  { seed }: Pick<ChosenSettings, 'seed'>,
  isSceneByScene: boolean,
): number {
  if (!isSceneByScene) return seed;
  const { numerator, denominator } = frameRate;
  const shape = [frameCount, numerator, denominator, displaySize.width, displaySize.height];
  return createHash('sha256').update(JSON.stringify(shape)).digest().readUInt32LE(0);
}
