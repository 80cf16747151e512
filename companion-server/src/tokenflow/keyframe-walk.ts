// The order in which keyframes and the frames between them are visited, so that only a few keyframes' tokens exist at
// once whatever the clip's length: a group of keyframes, then the frames that lie between keyframes known by then.

import { keyframesOf, paperNeighbours, type Neighbours } from './propagation.ts';
import type { Scene } from './scenes.ts';

/** Something known of keyframes: a part of it can be taken, and it can be joined with that of later ones. */
export interface KeyframeKnowledge<T> {
  readonly keyframes: readonly number[];
  /** Of these keyframes alone, in this order. */
  select(keyframes: readonly number[]): T;
  /** Followed by that of later keyframes. */
  join(later: T): T;
}

export interface WalkOptions<G extends { readonly own: readonly number[] }, T> {
  readonly scene: Scene;
  /** All of the scene's, rising. */
  readonly keyframes: readonly number[];
  /** The keyframes in groups, in order. */
  readonly groups: readonly G[];
  /** Most frames of one visit. */
  readonly chunkSize: number;
  /** Returns what is known of the group's own keyframes then. */
  readonly visitKeyframes: (group: G) => Promise<T>;
  /** Visits frames that are no keyframes with what is known of just the keyframes that they need. */
  readonly visitFrames: (frames: readonly number[], neighbours: readonly Neighbours[], known: T) => Promise<void>;
}

/** Visits every frame of the scene once. */
export async function walkKeyframes<G extends { readonly own: readonly number[] }, T extends KeyframeKnowledge<T>>(
  options: WalkOptions<G, T>,
): Promise<void> {
  const { scene, keyframes, groups, chunkSize, visitKeyframes, visitFrames } = options;
  const isKeyframe = new Set(keyframes);
  let next = scene.start;
  let last: T | undefined;
  for (const group of groups) {
    const here = await visitKeyframes(group);
    const known: T = last === undefined ? here : last.join(here);
    const names = new Set(known.keyframes);
    const isReady = (frame: number) =>
      frame < scene.end && keyframesOf([paperNeighbours(frame, keyframes)]).every((keyframe) => names.has(keyframe));
    const waiting: number[] = [];
    for (; isReady(next); next++) if (!isKeyframe.has(next)) waiting.push(next);
    for (let start = 0; start < waiting.length; start += chunkSize) {
      const frames = waiting.slice(start, start + chunkSize);
      const neighbours = frames.map((frame) => paperNeighbours(frame, keyframes));
      await visitFrames(frames, neighbours, known.select(keyframesOf(neighbours)));
    }
    last = here.select(here.keyframes.slice(-1));
  }
}
