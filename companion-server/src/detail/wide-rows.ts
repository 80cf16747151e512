// The rows of a small picture's change, as wide as the plane that it is made to. Each is needed for several rows of the
// plane, so it is widened once and kept as long as it is needed.

import type { ComponentChange } from './component-change.ts';
import type { Taps } from './taps.ts';

/** A row of the small picture at the columns of a plane. */
export interface WideRow {
  readonly gains: readonly [Float64Array, Float64Array, Float64Array];
  readonly offset: Float64Array;
  /** False where all of it is 0. */
  readonly hasChange: boolean;
}

/** Rows around one place: as many as a cubic function needs. */
const keptRows = 4;

/**
 * Gives the rows of `change`, a picture of `width` columns, at the columns of `taps`: gains are linear between points,
 * offsets cubic. A row is valid until one that is four rows away is asked for.
 */
export function wideRows(change: ComponentChange, taps: Taps, width: number): (row: number) => WideRow {
  const columns = taps.linear.length;
  const empty = () => new Float64Array(columns);
  const kept = Array.from({ length: keptRows }, () => ({
    row: -1,
    gains: [empty(), empty(), empty()] as const,
    offset: empty(),
    hasChange: false,
  }));
  return (row) => {
    const slot = kept[row % keptRows];
    if (slot === undefined) throw new RangeError(`wideRows: there is no row ${row}.`);
    if (slot.row === row) return slot;
    slot.row = row;
    const [start, end] = [row * width, (row + 1) * width];
    const offset = change.offset.subarray(start, end);
    slot.hasChange = widenCubic(slot.offset, offset, taps);
    for (const [k, wide] of slot.gains.entries()) {
      const gains = change.gains[k]?.subarray(start, end) ?? offset;
      slot.hasChange = widenLinear(wide, gains, taps) || slot.hasChange;
    }
    return slot;
  };
}

/** Whether there is a value that is not 0. Otherwise `wide` is all 0. */
function isAnything(line: Float32Array, wide: Float64Array): boolean {
  for (let x = 0; x < line.length; x++) if (line[x] !== 0) return true;
  wide.fill(0);
  return false;
}

function widenLinear(wide: Float64Array, line: Float32Array, { places, linear }: Taps): boolean {
  if (!isAnything(line, wide)) return false;
  for (let x = 0; x < wide.length; x++) {
    const before = line[places[4 * x + 1] ?? 0] ?? 0;
    wide[x] = before + (linear[x] ?? 0) * ((line[places[4 * x + 2] ?? 0] ?? 0) - before);
  }
  return true;
}

function widenCubic(wide: Float64Array, line: Float32Array, { places, cubic }: Taps): boolean {
  if (!isAnything(line, wide)) return false;
  for (let x = 0; x < wide.length; x++) {
    wide[x] =
      (cubic[4 * x] ?? 0) * (line[places[4 * x] ?? 0] ?? 0) +
      (cubic[4 * x + 1] ?? 0) * (line[places[4 * x + 1] ?? 0] ?? 0) +
      (cubic[4 * x + 2] ?? 0) * (line[places[4 * x + 2] ?? 0] ?? 0) +
      (cubic[4 * x + 3] ?? 0) * (line[places[4 * x + 3] ?? 0] ?? 0);
  }
  return true;
}
