// A change that was found on a small picture, made to a large one: gains and offsets are interpolated and meet the large
// picture's own samples, so that its detail goes with them. He and Sun, "Fast guided filter", arXiv 1505.00996. A linear
// change of red, green and blue is a linear change of luma and chroma as well, so the clip's planes are changed as they
// are stored: no sample goes through RGB, none is cut off at white or black, and one that nothing changes keeps its code.

import type { ComponentSpace } from '../media/component-space.ts';
import type { Size } from '../media/frame.ts';
import { planeSizes, type PlanarFrame, type Plane, type PlaneFormat } from '../media/planes.ts';
import { componentChange, type ComponentChange } from './component-change.ts';
import type { LocalChange } from './local-change.ts';
import { resampleRow, type Grid } from './resample-row.ts';
import { tapsOf, type Taps } from './taps.ts';
import { wideRows, type WideRow } from './wide-rows.ts';

/**
 * `source` changed, a new frame of its size and format. Both show the same picture from edge to edge. Where the source is
 * wholly transparent its samples stay: premultiplied colour must be black there, and straight colour is not seen.
 */
export function applyChange(source: PlanarFrame, change: LocalChange, space: ComponentSpace): PlanarFrame {
  const changes = componentChange(change, space);
  const grids = gridsOf(source, source.format);
  // Alpha is not the edit's.
  const results = source.planes.map((plane) => plane.slice());
  const { x, y } = source.format.chromaShift;
  const groups = x === 0 && y === 0 ? [[0, 1, 2]] : [[0], [1, 2]];
  for (const group of groups) changePlanes({ source, results, grids, group, changes, small: change, space });
  if (source.format.hasAlpha) keepTransparent(source, results);
  return { ...source, planes: results };
}

/** A chroma sample stays where all alpha of its place is 0. */
function keepTransparent(source: PlanarFrame, results: readonly Plane[]): void {
  const { format, width, height, planes } = source;
  const alpha = planes[3];
  if (alpha === undefined) throw new RangeError('applyChange: the plane of alpha is missing.');
  for (const [k, size] of planeSizes(format, source).slice(0, 3).entries()) {
    const [own, result] = [planes[k], results[k]];
    if (own === undefined || result === undefined) continue;
    const isChroma = k > 0;
    const [stepX, stepY] = isChroma ? [2 ** format.chromaShift.x, 2 ** format.chromaShift.y] : [1, 1];
    for (let at = 0; at < result.length; at++) {
      const [left, top] = [(at % size.width) * stepX, Math.floor(at / size.width) * stepY];
      let seen = 0;
      for (let y = top; y < Math.min(height, top + stepY); y++) {
        for (let x = left; x < Math.min(width, left + stepX); x++) seen |= alpha[y * width + x] ?? 0;
      }
      if (seen === 0) result[at] = own[at] ?? 0;
    }
  }
}

/** Where the samples of each plane lie. MPEG's chroma is level with the left one of its columns, and between its rows. */
function gridsOf(size: Size, format: PlaneFormat): readonly Grid[] {
  const { x, y } = format.chromaShift;
  return planeSizes(format, size).map(({ width, height }, k) => {
    const isChroma = k === 1 || k === 2;
    const [columns, rows] = isChroma ? [2 ** x, 2 ** y] : [1, 1];
    return {
      columns: { count: width, step: columns, phase: 0.5 },
      rows: { count: height, step: rows, phase: rows / 2 },
    };
  });
}

interface PlanesChange {
  readonly source: PlanarFrame;
  /** Copies of the source's planes. */
  readonly results: readonly Plane[];
  readonly grids: readonly Grid[];
  /** Which planes; they have the same grid. */
  readonly group: readonly number[];
  readonly changes: readonly ComponentChange[];
  readonly small: Size;
  readonly space: ComponentSpace;
}

function changePlanes({ source, results, grids, group, changes, small, space }: PlanesChange): void {
  const grid = grids[group[0] ?? 0];
  if (grid === undefined) throw new RangeError('applyChange: a plane is missing.');
  const columns = tapsOf(small.width, grid.columns, source.width);
  const rows = tapsOf(small.height, grid.rows, source.height);
  const width = grid.columns.count;
  const widened = group.map((k) => {
    const change = changes[k];
    if (change === undefined) throw new RangeError('applyChange: the change of a plane is missing.');
    return wideRows(change, columns, small.width);
  });
  const components = [0, 1, 2].map(() => new Float64Array(width));
  const resample = grids.slice(0, 3).map((from) => resampleRow(from, grid));
  const most = 2 ** source.format.bits - 1;
  for (let y = 0; y < grid.rows.count; y++) {
    const around = widened.map((rowAt) => rowsAround(rowAt, rows, y));
    if (!around.some(hasChange)) continue;
    for (const [c, values] of components.entries()) {
      resample[c]?.(source.planes[c] ?? new Uint8Array(), y, space.grey[c] ?? 0, values);
    }
    for (const [i, k] of group.entries()) {
      const [out, four] = [results[k], around[i]];
      if (out === undefined || four === undefined || !hasChange(four)) continue;
      changeRow({ out, start: y * width, around: four, rows, y, components, most });
    }
  }
}

type FourRows = readonly [WideRow, WideRow, WideRow, WideRow];

function rowsAround(rowAt: (row: number) => WideRow, { places }: Taps, y: number): FourRows {
  const row = (k: number) => rowAt(places[4 * y + k] ?? 0);
  return [row(0), row(1), row(2), row(3)];
}

function hasChange(rows: FourRows): boolean {
  return rows.some((row) => row.hasChange);
}

interface RowChange {
  /** Holds the source's codes, and is written over. */
  readonly out: Plane;
  /** Of the row. */
  readonly start: number;
  readonly around: FourRows;
  /** How much each of them counts at the row `y`. */
  readonly rows: Taps;
  readonly y: number;
  /** The three components at the row's places, counted from the grey. */
  readonly components: readonly Float64Array[];
  readonly most: number;
}

const noValues = new Float64Array(0);

/** One row of the result. Written out: it runs for every sample of every frame. */
function changeRow({ out, start, around, rows, y, components, most }: RowChange): void {
  const [row0, row1, row2, row3] = around;
  const [first = noValues, second = noValues, third = noValues] = components;
  const t = rows.linear[y] ?? 0;
  const s = 1 - t;
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = rows.cubic.subarray(4 * y, 4 * y + 4);
  const [above0, above1, above2] = row1.gains;
  const [below0, below1, below2] = row2.gains;
  const [offset0, offset1, offset2, offset3] = [row0.offset, row1.offset, row2.offset, row3.offset];
  for (let x = 0; x < first.length; x++) {
    const code =
      (out[start + x] ?? 0) +
      (s * (above0[x] ?? 0) + t * (below0[x] ?? 0)) * (first[x] ?? 0) +
      (s * (above1[x] ?? 0) + t * (below1[x] ?? 0)) * (second[x] ?? 0) +
      (s * (above2[x] ?? 0) + t * (below2[x] ?? 0)) * (third[x] ?? 0) +
      w0 * (offset0[x] ?? 0) +
      w1 * (offset1[x] ?? 0) +
      w2 * (offset2[x] ?? 0) +
      w3 * (offset3[x] ?? 0);
    // Half up; a plane's own array would cut the fraction off.
    out[start + x] = code <= 0 ? 0 : code >= most ? most : Math.floor(code + 0.5);
  }
}
