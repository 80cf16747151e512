// Drawn shapes -> a mask, with smooth edges. Areas are filled by scan lines of exact horizontal coverage, brushes by the
// distance to the way that they went.

import type { MaskShape } from '../../../protocol/mask.ts';
import type { Size } from '../media/frame.ts';
import { evenCoverage, type Coverage } from './coverage.ts';

/** Scan lines in one row of pixels. */
const linesPerRow = 8;

/** Corners of the polygon that stands for an ellipse. */
const ellipseCorners = 180;

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * @param pixelAspect width of a pixel to its height: a brush is round where the clip is seen
 */
export function drawShapes(shapes: readonly MaskShape[], size: Size, pixelAspect = 1): Coverage {
  const coverage = evenCoverage(size);
  for (const shape of shapes) {
    const own = drawShape(shape, size, pixelAspect);
    const { values } = coverage;
    for (let i = 0; i < values.length; i++) {
      const [before, drawn] = [values[i] ?? 0, own[i] ?? 0];
      values[i] = shape.erases ? Math.min(before, 1 - drawn) : Math.max(before, drawn);
    }
  }
  return coverage;
}

function drawShape({ kind, points, radius = 0 }: MaskShape, size: Size, pixelAspect: number): Float32Array {
  const places = placesOf(points, size);
  const [a = { x: 0, y: 0 }, b = a] = places;
  switch (kind) {
    case 'rectangle':
      return fillPolygon([a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }], size);
    case 'ellipse':
      return fillPolygon(ellipseBetween(a, b), size);
    case 'polygon':
      return fillPolygon(places, size);
    case 'brush':
      return strokeAlong(places, radius * size.height, size, pixelAspect);
  }
}

/** In pixels. */
function placesOf(points: readonly number[], { width, height }: Size): Point[] {
  return Array.from({ length: points.length / 2 }, (_, i) => ({
    x: (points[2 * i] ?? 0) * width,
    y: (points[2 * i + 1] ?? 0) * height,
  }));
}

function ellipseBetween(a: Point, b: Point): Point[] {
  const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
  return Array.from({ length: ellipseCorners }, (_, i) => {
    const angle = (2 * Math.PI * i) / ellipseCorners;
    return { x: x + (Math.abs(b.x - a.x) / 2) * Math.cos(angle), y: y + (Math.abs(b.y - a.y) / 2) * Math.sin(angle) };
  });
}

/** Even-odd. */
function fillPolygon(corners: readonly Point[], { width, height }: Size): Float32Array {
  const out = new Float32Array(width * height);
  const tops = corners.map(({ y }) => y);
  const first = Math.max(0, Math.floor(Math.min(...tops)));
  const last = Math.min(height, Math.ceil(Math.max(...tops)));
  for (let row = first; row < last; row++) {
    const values = out.subarray(row * width, (row + 1) * width);
    for (let line = 0; line < linesPerRow; line++) {
      const crossings = crossingsAt(row + (line + 0.5) / linesPerRow, corners);
      for (let k = 0; k + 1 < crossings.length; k += 2) addSpan(values, crossings[k] ?? 0, crossings[k + 1] ?? 0);
    }
  }
  return out;
}

/** Where a horizontal line meets the border, rising. */
function crossingsAt(y: number, corners: readonly Point[]): number[] {
  const found: number[] = [];
  for (const [i, from] of corners.entries()) {
    const to = corners[(i + 1) % corners.length] ?? from;
    if (from.y <= y === to.y <= y) continue;
    found.push(from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
  }
  return found.sort((a, b) => a - b);
}

/** Adds one scan line from `from` to `to` to a row of pixels. */
function addSpan(values: Float32Array, from: number, to: number): void {
  const [start, end] = [Math.max(0, from), Math.min(values.length, to)];
  for (let x = Math.floor(start); x < end; x++) {
    const covered = Math.min(end, x + 1) - Math.max(start, x);
    values[x] = Math.min(1, (values[x] ?? 0) + covered / linesPerRow);
  }
}

/** A round brush of `radius` pixels' height. */
function strokeAlong(places: readonly Point[], radius: number, size: Size, pixelAspect: number): Float32Array {
  const { width, height } = size;
  const out = new Float32Array(width * height);
  const reachX = (radius + 1) / pixelAspect;
  for (const [i, to] of places.entries()) {
    const from = places[Math.max(0, i - 1)] ?? to;
    const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius - 1));
    const bottom = Math.min(height, Math.ceil(Math.max(from.y, to.y) + radius + 1));
    const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reachX));
    const right = Math.min(width, Math.ceil(Math.max(from.x, to.x) + reachX));
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const distance = distanceToSegment({ x: x + 0.5, y: y + 0.5 }, from, to, pixelAspect);
        const covered = Math.min(1, Math.max(0, radius + 0.5 - distance));
        const at = y * width + x;
        out[at] = Math.max(out[at] ?? 0, covered);
      }
    }
  }
  return out;
}

/** In pixels' heights. */
function distanceToSegment(point: Point, from: Point, to: Point, pixelAspect: number): number {
  const [dx, dy] = [(to.x - from.x) * pixelAspect, to.y - from.y];
  const [px, py] = [(point.x - from.x) * pixelAspect, point.y - from.y];
  const squared = dx * dx + dy * dy;
  const t = squared === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / squared));
  return Math.hypot(px - t * dx, py - t * dy);
}
