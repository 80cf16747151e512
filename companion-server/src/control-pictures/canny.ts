// Canny's edges (1986), with the choices of OpenCV's Canny as ControlNets were trained on: no blur first, 3x3 Sobel, the
// strongest of the three channels, |dx| + |dy| as the size of the gradient.

import type { Rgb24Frame } from '../media/frame.ts';

/** Of the gradient's size. Edges begin above `high` and go on above `low`. */
export interface CannyThresholds {
  readonly low: number;
  readonly high: number;
}

/** Those of ControlNet's own example. */
export const usualThresholds: CannyThresholds = { low: 100, high: 200 };

/** What a pixel is so far; 0 is no edge. */
const [weak, strong] = [1, 2];

/** [height * width]: 255 on edges, which are one pixel wide, else 0. */
export function canny(frame: Rgb24Frame, { low, high }: CannyThresholds = usualThresholds): Uint8Array {
  const { width, height } = frame;
  const { dx, dy, size } = gradients(frame);
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (size[y * width + x] as number);
  const state = new Uint8Array(width * height);
  const open: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const own = size[i] as number;
      if (own <= low) continue;
      const [stepX, stepY, includesFirst] = acrossEdge(dx[i] as number, dy[i] as number);
      const first = at(x - stepX, y - stepY);
      const second = at(x + stepX, y + stepY);
      // Of two equal neighbours across the edge one is kept, but on slanted edges neither is.
      const isHighest = own > first && (includesFirst ? own >= second : own > second);
      if (!isHighest) continue;
      state[i] = own > high ? strong : weak;
      if (own > high) open.push(i);
    }
  }
  follow(state, open, frame);
  return state.map((kept) => (kept === strong ? 255 : 0));
}

/** Weak edges that touch a strong one become strong, also at a corner. */
function follow(state: Uint8Array, open: number[], { width, height }: Rgb24Frame): void {
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
        const neighbour = ny * width + nx;
        if (state[neighbour] !== weak) continue;
        state[neighbour] = strong;
        open.push(neighbour);
      }
    }
  }
}

/** tan(22.5 degrees): between the eight directions. */
const slope = Math.SQRT2 - 1;

/** The neighbours to compare with: a step in x and y, and whether an equal second neighbour lets the pixel stay. */
function acrossEdge(dx: number, dy: number): readonly [number, number, boolean] {
  const [ax, ay] = [Math.abs(dx), Math.abs(dy)];
  if (ay < ax * slope) return [1, 0, true];
  if (ay > ax * (slope + 2)) return [0, 1, true];
  return [dx < 0 === dy < 0 ? 1 : -1, 1, false];
}

/** 3x3 Sobel of the channel in which the gradient is largest; the border repeats the last pixels. */
function gradients({ width, height, rgb }: Rgb24Frame) {
  const dx = new Int16Array(width * height);
  const dy = new Int16Array(width * height);
  const size = new Uint16Array(width * height);
  for (let y = 0; y < height; y++) {
    const rows = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map((row) => row * width) as [
      number,
      number,
      number,
    ];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
      const i = y * width + x;
      for (let channel = 0; channel < 3; channel++) {
        const value = (row: number, column: number): number => rgb[3 * (row + column) + channel] as number;
        const [above, here, below] = rows;
        const gx =
          value(above, right) -
          value(above, left) +
          2 * (value(here, right) - value(here, left)) +
          value(below, right) -
          value(below, left);
        const gy =
          value(below, left) -
          value(above, left) +
          2 * (value(below, x) - value(above, x)) +
          value(below, right) -
          value(above, right);
        const sum = Math.abs(gx) + Math.abs(gy);
        if (channel > 0 && sum <= (size[i] as number)) continue;
        size[i] = sum;
        dx[i] = gx;
        dy[i] = gy;
      }
    }
  }
  return { dx, dy, size };
}
