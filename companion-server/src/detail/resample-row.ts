// The samples of one plane at the places of another plane's row: chroma where luma lies, and luma where chroma lies.

import type { Plane } from '../media/planes.ts';
import { placesOf, type SampleLine } from './taps.ts';

export interface Grid {
  readonly columns: SampleLine;
  readonly rows: SampleLine;
}

/** Writes a row of `values`, less `zero`. */
export type RowResampler = (plane: Plane, row: number, zero: number, values: Float64Array) => void;

/**
 * From a plane with the samples of `from` to the rows of `to`. A coarser plane is interpolated linearly; of a finer one, the
 * samples around each place are averaged with the weights 1, 2, 1 along a row, and evenly over the rows.
 */
export function resampleRow(from: Grid, to: Grid): RowResampler {
  const width = from.columns.count;
  const isSame = from.columns.step === to.columns.step && from.rows.step === to.rows.step;
  if (isSame) {
    return (plane, row, zero, values) => {
      const start = row * width;
      for (let x = 0; x < values.length; x++) values[x] = (plane[start + x] ?? 0) - zero;
    };
  }
  const isFiner = from.columns.step < to.columns.step || from.rows.step < to.rows.step;
  return isFiner ? averageRow(from, to) : interpolateRow(from, to);
}

function interpolateRow(from: Grid, to: Grid): RowResampler {
  const width = from.columns.count;
  const [columns, rows] = [placesOf(to.columns, from.columns), placesOf(to.rows, from.rows)];
  const isDoubled = from.columns.step === 2 * to.columns.step && from.columns.phase === to.columns.phase;
  const mixed = new Float64Array(width);
  return (plane, row, zero, values) => {
    const [above, below] = [(rows.before[row] ?? 0) * width, (rows.after[row] ?? 0) * width];
    const share = rows.share[row] ?? 0;
    for (let x = 0; x < width; x++) {
      mixed[x] = (1 - share) * (plane[above + x] ?? 0) + share * (plane[below + x] ?? 0) - zero;
    }
    if (isDoubled) {
      double(mixed, values);
      return;
    }
    for (let x = 0; x < values.length; x++) {
      const part = columns.share[x] ?? 0;
      values[x] = (1 - part) * (mixed[columns.before[x] ?? 0] ?? 0) + part * (mixed[columns.after[x] ?? 0] ?? 0);
    }
  };
}

/** Every second value is a sample, the others lie in the middle of two. The usual case, written out. */
function double(samples: Float64Array, values: Float64Array): void {
  let sample = samples[0] ?? 0;
  for (let x = 0; x < values.length; x += 2) {
    const next = samples[Math.min(samples.length - 1, (x >> 1) + 1)] ?? 0;
    values[x] = sample;
    if (x + 1 < values.length) values[x + 1] = (sample + next) / 2;
    sample = next;
  }
}

function averageRow(from: Grid, to: Grid): RowResampler {
  const { count: width } = from.columns;
  const [stepX, stepY] = [to.columns.step / from.columns.step, to.rows.step / from.rows.step];
  const sums = new Float64Array(width);
  return (plane, row, zero, values) => {
    const first = row * stepY;
    const last = Math.min(from.rows.count, first + stepY) - 1;
    const share = 1 / (last - first + 1);
    // The first row as it is, the others added to it.
    for (let x = 0; x < width; x++) sums[x] = (plane[first * width + x] ?? 0) * share - zero;
    for (let y = first + 1; y <= last; y++) {
      for (let x = 0; x < width; x++) sums[x] = (sums[x] ?? 0) + (plane[y * width + x] ?? 0) * share;
    }
    for (let x = 0; x < values.length; x++) {
      const at = Math.min(width - 1, x * stepX);
      if (stepX === 1) {
        values[x] = sums[at] ?? 0;
        continue;
      }
      const [left, right] = [Math.max(0, at - 1), Math.min(width - 1, at + 1)];
      values[x] = ((sums[left] ?? 0) + 2 * (sums[at] ?? 0) + (sums[right] ?? 0)) / 4;
    }
  };
}
