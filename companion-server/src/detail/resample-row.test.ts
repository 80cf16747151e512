// Samples of one grid at the places of another: values that are known.

import { describe, expect, test } from 'vitest';
import { resampleRow, type Grid } from './resample-row.ts';

/** Chroma as MPEG places it: level with the left of its columns, between its rows. */
function grid(columns: number, rows: number, step: { readonly x: number; readonly y: number }): Grid {
  return {
    columns: { count: columns, step: step.x, phase: 0.5 },
    rows: { count: rows, step: step.y, phase: step.y / 2 },
  };
}

const luma = (width: number, height: number) => grid(width, height, { x: 1, y: 1 });

function rowOf(from: Grid, to: Grid, plane: readonly number[], row: number, zero = 0): number[] {
  const values = new Float64Array(to.columns.count);
  resampleRow(from, to)(Uint16Array.from(plane), row, zero, values);
  return Array.from(values);
}

describe('a row of a plane', () => {
  test.each([
    [6, [10, 15, 20, 30, 40, 40]],
    [5, [10, 15, 20, 30, 40]],
  ])('of half the columns lies on every second one of %i, and in the middle between', (width, expected) => {
    expect(rowOf(grid(3, 1, { x: 2, y: 1 }), luma(width, 1), [10, 20, 40], 0)).toEqual(expected);
  });

  test('of a quarter of the columns is interpolated between them', () => {
    expect(rowOf(grid(2, 1, { x: 4, y: 1 }), luma(8, 1), [8, 16], 0)).toEqual([8, 10, 12, 14, 16, 16, 16, 16]);
  });

  test('of half the rows is mixed of the two around, and begins and ends with its own', () => {
    const from = grid(1, 2, { x: 1, y: 2 });
    const rows = [0, 1, 2, 3].map((row) => rowOf(from, luma(1, 4), [100, 200], row)[0]);
    expect(rows).toEqual([100, 125, 175, 200]);
  });

  test('of luma where chroma lies is the mean of its rows, and of columns 1, 2, 1', () => {
    const plane = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44];
    const chroma = grid(2, 2, { x: 2, y: 2 });
    // The mean of rows 0 and 1 is 8, 12, 16, 20; counted from 2.
    expect(rowOf(luma(4, 3), chroma, plane, 0, 2)).toEqual([7, 14]);
    // The last row stands alone.
    expect(rowOf(luma(4, 3), chroma, plane, 1)).toEqual([33, 40]);
  });

  test('of the same grid is as it is, counted from zero', () => {
    expect(rowOf(luma(3, 2), luma(3, 2), [1, 2, 3, 4, 5, 6], 1, 4)).toEqual([0, 1, 2]);
  });
});
