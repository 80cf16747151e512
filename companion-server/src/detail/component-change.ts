// A change of red, green and blue as a change of each plane that a clip stores.

import type { ComponentSpace } from '../media/component-space.ts';
import type { LocalChange } from './local-change.ts';

/**
 * What is added to a sample: `gains` . (the three components there, counted from the grey of the space) + `offset`. Planes
 * [height * width] of the small picture; exactly 0 where the edit changed nothing.
 */
export interface ComponentChange {
  readonly gains: readonly [Float32Array, Float32Array, Float32Array];
  readonly offset: Float32Array;
}

type Plane = Float32Array;
type ThreePlanes = readonly [Plane, Plane, Plane];
type NinePlanes = readonly [Plane, Plane, Plane, Plane, Plane, Plane, Plane, Plane, Plane];

/** Smaller ones are the rounding of single precision. Of a gain, and of an offset in steps of 255. */
const [leastGain, leastOffset] = [1e-6, 1e-4];

/** One for each plane. */
export function componentChange(
  change: LocalChange,
  space: ComponentSpace,
): readonly [ComponentChange, ComponentChange, ComponentChange] {
  return [planeChange(change, space, 0), planeChange(change, space, 1), planeChange(change, space, 2)];
}

/** Written out: it runs for every point of every frame. `row` of F (G - 1) T, where F and T go from and to RGB. */
function planeChange(
  { width, height, gains, offsets }: LocalChange,
  space: ComponentSpace,
  row: number,
): ComponentChange {
  const length = width * height;
  const [first, second, third] = [new Float32Array(length), new Float32Array(length), new Float32Array(length)];
  const offset = new Float32Array(length);
  const [g0, g1, g2, g3, g4, g5, g6, g7, g8] = gains as NinePlanes;
  const [o0, o1, o2] = offsets as ThreePlanes;
  const [a = 0, b = 0, c = 0] = space.fromRgb.slice(3 * row, 3 * row + 3);
  const [t0, t1, t2, t3, t4, t5, t6, t7, t8] = space.toRgb;
  for (let i = 0; i < length; i++) {
    const red =
      a * above((g0[i] ?? 0) - 1, leastGain) + b * above(g3[i] ?? 0, leastGain) + c * above(g6[i] ?? 0, leastGain);
    const green =
      a * above(g1[i] ?? 0, leastGain) + b * above((g4[i] ?? 0) - 1, leastGain) + c * above(g7[i] ?? 0, leastGain);
    const blue =
      a * above(g2[i] ?? 0, leastGain) + b * above(g5[i] ?? 0, leastGain) + c * above((g8[i] ?? 0) - 1, leastGain);
    first[i] = red * t0 + green * t3 + blue * t6;
    second[i] = red * t1 + green * t4 + blue * t7;
    third[i] = red * t2 + green * t5 + blue * t8;
    offset[i] =
      a * above(o0[i] ?? 0, leastOffset) + b * above(o1[i] ?? 0, leastOffset) + c * above(o2[i] ?? 0, leastOffset);
  }
  return { gains: [first, second, third], offset };
}

function above(value: number, least: number): number {
  return Math.abs(value) < least ? 0 : value;
}
