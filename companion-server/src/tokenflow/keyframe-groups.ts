// The order in which keyframes and the frames between them are visited, so that only a few keyframes' tokens exist at
// once, in clips of any length: a group of keyframes, then the frames whose keyframes have all been visited by then.

import type { KeyframeState } from './keyframe-state.ts';
import { keyframesOf, type Neighbours } from './keyframe-neighbours.ts';
import type { Scene } from './scenes.ts';

export interface GroupVisitor<Group> {
  readonly scene: Scene;
  /** All of the scene's, rising. */
  readonly keyframes: readonly number[];
  /** The keyframes in groups, in order. */
  readonly groups: readonly Group[];
  readonly neighboursOf: (frame: number) => Neighbours;
  /** Whether keyframes are visited among the frames as well. */
  readonly includesKeyframes: boolean;
  /** Most frames of one visit. */
  readonly chunkSize: number;
  /** Returns the state of the group's own keyframes. */
  readonly visitKeyframes: (group: Group) => Promise<KeyframeState>;
  /** Visits frames with the state of just the keyframes that they need. */
  readonly visitFrames: (
    frames: readonly number[],
    neighbours: readonly Neighbours[],
    state: KeyframeState,
  ) => Promise<void>;
}

/** Visits every group, and every frame of the scene at most once. */
export async function forEachGroup<Group>(visitor: GroupVisitor<Group>): Promise<void> {
  const { scene, keyframes, groups, neighboursOf, includesKeyframes, chunkSize } = visitor;
  const isKeyframe = new Set(keyframes);
  let next = scene.start;
  let last: KeyframeState | undefined;
  for (const group of groups) {
    const own = await visitor.visitKeyframes(group);
    const state = last === undefined ? own : last.join(own);
    const visited = new Set(state.keyframes);
    const isReady = (frame: number) =>
      frame < scene.end && keyframesOf([neighboursOf(frame)]).every((keyframe) => visited.has(keyframe));
    const ready: number[] = [];
    for (; isReady(next); next++) if (includesKeyframes || !isKeyframe.has(next)) ready.push(next);
    for (let start = 0; start < ready.length; start += chunkSize) {
      const frames = ready.slice(start, start + chunkSize);
      const neighbours = frames.map(neighboursOf);
      await visitor.visitFrames(frames, neighbours, state.select(keyframesOf(neighbours)));
    }
    last = own.select(own.keyframes.slice(-1));
  }
}
