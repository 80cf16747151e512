// A change that was found on a small picture, made to a large one: gains and offsets are interpolated and meet the large
// picture's own colours, so that its detail goes with them. He and Sun, "Fast guided filter", arXiv 1505.00996.

import type { Rgb24Frame } from '../media/frame.ts';
import { middle, type LocalChange } from './local-change.ts';

/** Gains, then offsets. */
const planeCount = 12;
const gainCount = 9;

/** `source` changed, a new frame of its size. Both show the same picture from edge to edge. */
export function applyChange(source: Rgb24Frame, change: LocalChange): Rgb24Frame {
  const { width, height, rgb } = source;
  const planes = [...change.gains, ...change.offsets];
  const columns = tapsOf(change.width, width);
  const rows = tapsOf(change.height, height);
  // One line of all planes, point by point, between the small picture's rows.
  const line = new Float32Array(planeCount * change.width);
  const out = new Uint8ClampedArray(rgb.length);
  for (let y = 0; y < height; y++) {
    fillLine(line, planes, rows, y, change.width);
    writeRow(out, rgb, line, columns, y * width, width);
  }
  return { index: source.index, width, height, pixelFormat: 'rgb24', rgb: new Uint8Array(out.buffer) };
}

/** The four points around each place, and how much each counts: cubic for offsets, the middle two linear for gains. */
interface Taps {
  /** [length * 4] */
  readonly places: Int32Array;
  /** [length * 4], Catmull-Rom. */
  readonly cubic: Float32Array;
  /** [length], of the second of the middle two. */
  readonly linear: Float32Array;
}

function tapsOf(from: number, to: number): Taps {
  const places = new Int32Array(4 * to);
  const cubic = new Float32Array(4 * to);
  const linear = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(at);
    const t = at - first;
    linear[i] = t;
    const weights = [((2 - t) * t - 1) * t, (3 * t - 5) * t * t + 2, ((4 - 3 * t) * t + 1) * t, (t - 1) * t * t];
    weights.forEach((weight, k) => {
      places[4 * i + k] = Math.min(from - 1, Math.max(0, first - 1 + k));
      cubic[4 * i + k] = weight / 2;
    });
  }
  return { places, cubic, linear };
}

function fillLine(
  line: Float32Array,
  planes: readonly Float32Array[],
  { places, cubic, linear }: Taps,
  y: number,
  width: number,
): void {
  const t = linear[y] ?? 0;
  const [w0, w1, w2, w3] = cubic.subarray(4 * y, 4 * y + 4);
  const [row0 = 0, row1 = 0, row2 = 0, row3 = 0] = places.subarray(4 * y, 4 * y + 4);
  const [at0, at1, at2, at3] = [row0 * width, row1 * width, row2 * width, row3 * width];
  for (const [k, plane] of planes.entries()) {
    const isGain = k < gainCount;
    const [a, b, c, d] = isGain ? [0, 1 - t, t, 0] : [w0 ?? 0, w1 ?? 0, w2 ?? 0, w3 ?? 0];
    for (let x = 0; x < width; x++) {
      line[planeCount * x + k] =
        a * (plane[at0 + x] ?? 0) + b * (plane[at1 + x] ?? 0) + c * (plane[at2 + x] ?? 0) + d * (plane[at3 + x] ?? 0);
    }
  }
}

/** One row of the result. Written out: it runs for every pixel of every frame. */
function writeRow(
  out: Uint8ClampedArray,
  rgb: Uint8Array,
  line: Float32Array,
  { places, cubic, linear }: Taps,
  start: number,
  width: number,
): void {
  for (let x = 0; x < width; x++) {
    const p0 = planeCount * (places[4 * x] ?? 0);
    const p1 = planeCount * (places[4 * x + 1] ?? 0);
    const p2 = planeCount * (places[4 * x + 2] ?? 0);
    const p3 = planeCount * (places[4 * x + 3] ?? 0);
    const t = linear[x] ?? 0;
    const s = 1 - t;
    const w0 = cubic[4 * x] ?? 0;
    const w1 = cubic[4 * x + 1] ?? 0;
    const w2 = cubic[4 * x + 2] ?? 0;
    const w3 = cubic[4 * x + 3] ?? 0;
    const at = 3 * (start + x);
    const red = (rgb[at] ?? 0) - middle;
    const green = (rgb[at + 1] ?? 0) - middle;
    const blue = (rgb[at + 2] ?? 0) - middle;
    for (let c = 0; c < 3; c++) {
      const g = 3 * c;
      const o = gainCount + c;
      out[at + c] =
        middle +
        (s * (line[p1 + g] ?? 0) + t * (line[p2 + g] ?? 0)) * red +
        (s * (line[p1 + g + 1] ?? 0) + t * (line[p2 + g + 1] ?? 0)) * green +
        (s * (line[p1 + g + 2] ?? 0) + t * (line[p2 + g + 2] ?? 0)) * blue +
        w0 * (line[p0 + o] ?? 0) +
        w1 * (line[p1 + o] ?? 0) +
        w2 * (line[p2 + o] ?? 0) +
        w3 * (line[p3 + o] ?? 0);
    }
  }
}
