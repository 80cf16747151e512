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

/** Three gains and an offset. */
const planeCount = 4;

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
  // One line of all four, point by point, between the small picture's rows.
  const lines = group.map(() => new Float32Array(planeCount * small.width));
  const components = [0, 1, 2].map(() => new Float32Array(width));
  const resample = grids.slice(0, 3).map((from) => resampleRow(from, grid));
  const most = 2 ** source.format.bits - 1;
  for (let y = 0; y < grid.rows.count; y++) {
    const changed = group.map((k, i) => fillLine(lines[i], changes[k], rows, y, small.width));
    if (!changed.includes(true)) continue;
    for (const [c, values] of components.entries()) {
      resample[c]?.(source.planes[c] ?? new Uint8Array(), y, space.grey[c] ?? 0, values);
    }
    for (const [i, k] of group.entries()) {
      const [out, line] = [results[k], lines[i]];
      if (changed[i] !== true || out === undefined || line === undefined) continue;
      changeRow({ out, start: y * width, line, columns, components, most });
    }
  }
}

/** False where the change is nothing in the whole line. */
function fillLine(
  line: Float32Array | undefined,
  change: ComponentChange | undefined,
  { places, cubic, linear }: Taps,
  y: number,
  width: number,
): boolean {
  if (line === undefined || change === undefined) return false;
  const { gains, offset } = change;
  const t = linear[y] ?? 0;
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = cubic.subarray(4 * y, 4 * y + 4);
  const [row0 = 0, row1 = 0, row2 = 0, row3 = 0] = places.subarray(4 * y, 4 * y + 4);
  const [at0, at1, at2, at3] = [row0 * width, row1 * width, row2 * width, row3 * width];
  let hasChange = false;
  for (const [k, plane] of gains.entries()) {
    for (let x = 0; x < width; x++) {
      const value = (1 - t) * (plane[at1 + x] ?? 0) + t * (plane[at2 + x] ?? 0);
      line[planeCount * x + k] = value;
      hasChange ||= value !== 0;
    }
  }
  for (let x = 0; x < width; x++) {
    const value =
      w0 * (offset[at0 + x] ?? 0) +
      w1 * (offset[at1 + x] ?? 0) +
      w2 * (offset[at2 + x] ?? 0) +
      w3 * (offset[at3 + x] ?? 0);
    line[planeCount * x + 3] = value;
    hasChange ||= value !== 0;
  }
  return hasChange;
}

interface RowChange {
  /** Holds the source's codes, and is written over. */
  readonly out: Plane;
  /** Of the row. */
  readonly start: number;
  readonly line: Float32Array;
  readonly columns: Taps;
  /** The three components at the row's places, counted from the grey. */
  readonly components: readonly Float32Array[];
  readonly most: number;
}

const noValues = new Float32Array(0);

/** One row of the result. Written out: it runs for every sample of every frame. */
function changeRow({ out, start, line, columns, components, most }: RowChange): void {
  const { places, cubic, linear } = columns;
  const [first = noValues, second = noValues, third = noValues] = components;
  for (let x = 0; x < first.length; x++) {
    const p1 = planeCount * (places[4 * x + 1] ?? 0);
    const p2 = planeCount * (places[4 * x + 2] ?? 0);
    const t = linear[x] ?? 0;
    const s = 1 - t;
    const code =
      (out[start + x] ?? 0) +
      (s * (line[p1] ?? 0) + t * (line[p2] ?? 0)) * (first[x] ?? 0) +
      (s * (line[p1 + 1] ?? 0) + t * (line[p2 + 1] ?? 0)) * (second[x] ?? 0) +
      (s * (line[p1 + 2] ?? 0) + t * (line[p2 + 2] ?? 0)) * (third[x] ?? 0) +
      (cubic[4 * x] ?? 0) * (line[planeCount * (places[4 * x] ?? 0) + 3] ?? 0) +
      (cubic[4 * x + 1] ?? 0) * (line[p1 + 3] ?? 0) +
      (cubic[4 * x + 2] ?? 0) * (line[p2 + 3] ?? 0) +
      (cubic[4 * x + 3] ?? 0) * (line[planeCount * (places[4 * x + 3] ?? 0) + 3] ?? 0);
    // Half up; a plane's own array would cut the fraction off.
    out[start + x] = code <= 0 ? 0 : code >= most ? most : Math.floor(code + 0.5);
  }
}
