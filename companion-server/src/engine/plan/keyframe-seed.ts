// What keyframes are drawn from. Where the source is recorded, what is recorded depends on them: they come from the clip,
// so that the user's seed can change without another inversion.

import { createHash } from 'node:crypto';
import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { ChosenSettings } from './edit-defaults.ts';

type ClipShape = Pick<ClipInfo, 'frameCount' | 'frameRate' | 'displaySize'>;

/**
 * 0..2^32-1. The same for all edits of a clip where they go `sceneByScene`, which is where keyframes are part of what an
 * inversion records; else the user's seed, which costs no inversion there.
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
