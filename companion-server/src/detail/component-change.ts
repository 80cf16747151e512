// A change of red, green and blue as a change of each plane that a clip stores.

import { multiply, type ComponentSpace, type Matrix3 } from '../media/component-space.ts';
import type { LocalChange } from './local-change.ts';

/**
 * What is added to a sample: `gains` . (the three components there, counted from the grey of the space) + `offset`. Planes
 * [height * width] of the small picture; exactly 0 where the edit changed nothing.
 */
export interface ComponentChange {
  readonly gains: readonly [Float32Array, Float32Array, Float32Array];
  readonly offset: Float32Array;
}

/** Smaller ones are the rounding of single precision. Of a gain, and of an offset in steps of 255. */
const [leastGain, leastOffset] = [1e-6, 1e-4];

/** One for each plane. */
export function componentChange(
  change: LocalChange,
  { fromRgb, toRgb }: ComponentSpace,
): readonly [ComponentChange, ComponentChange, ComponentChange] {
  const length = change.width * change.height;
  const plane = () => new Float32Array(length);
  const empty = (): ComponentChange => ({ gains: [plane(), plane(), plane()], offset: plane() });
  const changes = [empty(), empty(), empty()] as const;
  const [identity, gains, offsets] = [[1, 0, 0, 0, 1, 0, 0, 0, 1], change.gains, change.offsets];
  const at = new Array<number>(9).fill(0);
  for (let i = 0; i < length; i++) {
    for (let k = 0; k < 9; k++) at[k] = above((gains[k]?.[i] ?? 0) - (identity[k] ?? 0), leastGain);
    const own = at.every((gain) => gain === 0) ? null : multiply(multiply(fromRgb, at as unknown as Matrix3), toRgb);
    for (const [row, to] of changes.entries()) {
      if (own !== null) for (const [column, gain] of to.gains.entries()) gain[i] = own[3 * row + column] ?? 0;
      let offset = 0;
      for (let c = 0; c < 3; c++) offset += (fromRgb[3 * row + c] ?? 0) * above(offsets[c]?.[i] ?? 0, leastOffset);
      to.offset[i] = offset;
    }
  }
  return changes;
}

function above(value: number, least: number): number {
  return Math.abs(value) < least ? 0 : value;
}
