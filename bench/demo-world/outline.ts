// How far the outline of an object has moved.

/**
 * The mean distance, in pixels, of the edge of mask `a` from the nearest point of the edge of mask `b`, and of b's from a's,
 * averaged. Masks are rows of `width` values, 1 on the object. null where one has no edge: it is empty, or fills the picture.
 */
export function outlineDistance(a: Uint8Array, b: Uint8Array, width: number): number | null {
  const [edgeOfA, edgeOfB] = [edgeOf(a, width), edgeOf(b, width)];
  if (edgeOfA.length === 0 || edgeOfB.length === 0) return null;
  return (meanDistance(edgeOfA, edgeOfB) + meanDistance(edgeOfB, edgeOfA)) / 2;
}

type Point = readonly [x: number, y: number];

/** Points of the object beside one that is not; the border of the picture is no edge. */
function edgeOf(mask: Uint8Array, width: number): readonly Point[] {
  const points: Point[] = [];
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 1) continue;
    const x = i % width;
    const neighbours = [x > 0 ? i - 1 : i, x < width - 1 ? i + 1 : i, i - width, i + width];
    if (neighbours.some((at) => mask[at] === 0)) points.push([x, Math.floor(i / width)]);
  }
  return points;
}

function meanDistance(from: readonly Point[], to: readonly Point[]): number {
  const distances = from.map(([x, y]) => Math.sqrt(Math.min(...to.map(([u, v]) => (x - u) ** 2 + (y - v) ** 2))));
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}
