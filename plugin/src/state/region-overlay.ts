// What a drawing covers, coarsely, for the eye: rows of a grid over the picture. The server draws the mask exactly.

import type { MaskShape } from '../../../protocol/mask.ts';

export const overlayRows = 64;

/** A covered part of a row, in shares of the picture's width. */
export interface CoveredRun {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/** @param aspect width of the picture to its height */
export function coveredRuns(shapes: readonly MaskShape[], isInverted: boolean, aspect: number): readonly CoveredRun[] {
  const columns = Math.max(1, Math.round(overlayRows * aspect));
  return Array.from({ length: overlayRows }, (_, row) => row).flatMap((row) => {
    const runs: CoveredRun[] = [];
    for (let column = 0; column < columns; column++) {
      const [x, y] = [(column + 0.5) / columns, (row + 0.5) / overlayRows];
      if (isCovered(shapes, x, y, aspect) === isInverted) continue;
      const [from, to] = [column / columns, (column + 1) / columns];
      const last = runs.at(-1);
      if (last?.to === from) runs[runs.length - 1] = { ...last, to };
      else runs.push({ row, from, to });
    }
    return runs;
  });
}

function isCovered(shapes: readonly MaskShape[], x: number, y: number, aspect: number): boolean {
  return shapes.reduce((isIn, shape) => (contains(shape, x, y, aspect) ? !shape.erases : isIn), false);
}

function contains({ kind, points, radius = 0 }: MaskShape, x: number, y: number, aspect: number): boolean {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = points;
  switch (kind) {
    case 'rectangle':
      return x >= Math.min(x0, x1) && x <= Math.max(x0, x1) && y >= Math.min(y0, y1) && y <= Math.max(y0, y1);
    case 'ellipse': {
      const [rx, ry] = [Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2];
      return ((x - (x0 + x1) / 2) / rx) ** 2 + ((y - (y0 + y1) / 2) / ry) ** 2 <= 1;
    }
    case 'polygon':
      return crossings(points, x, y) % 2 === 1;
    case 'brush':
      return distanceToWay(points, x, y, aspect) <= radius;
  }
}

/** Edges of the polygon right of the place. */
function crossings(points: readonly number[], x: number, y: number): number {
  let count = 0;
  for (let i = 0; i < points.length; i += 2) {
    const [ax = 0, ay = 0] = points.slice(i, i + 2);
    const [bx = 0, by = 0] = points.slice((i + 2) % points.length, ((i + 2) % points.length) + 2);
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) count++;
  }
  return count;
}

/** In shares of the height. */
function distanceToWay(points: readonly number[], x: number, y: number, aspect: number): number {
  let least = Infinity;
  for (let i = 0; i < points.length; i += 2) {
    const [ax = 0, ay = 0, bx = ax, by = ay] = points.slice(i, i + 4);
    const [dx, dy, px, py] = [(bx - ax) * aspect, by - ay, (x - ax) * aspect, y - ay];
    const length = dx ** 2 + dy ** 2;
    const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length));
    least = Math.min(least, Math.hypot(px - along * dx, py - along * dy));
  }
  return least;
}
