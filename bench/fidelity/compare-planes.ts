// How a result's samples differ from the source's. Pictures have the same size and format.

import type { PlanarPicture, Plane } from '../../companion-server/src/media/planes.ts';
import { planeSizes } from '../../companion-server/src/media/planes.ts';

export interface PlaneLikeness {
  /** Of luma and the two chroma planes; Infinity for equal ones. */
  readonly decibels: readonly [number, number, number];
  /** Longest run of equal luma codes along a row of the result. */
  readonly longestRun: number;
  /** Samples that were far outside the video range and came back to its end. */
  readonly clipped: number;
}

/** Of 8 bits: black and white, and how far a coder may move a code beyond them. */
const [black, white, margin] = [16, 235, 2];

/**
 * Compares the columns from the share `from` (0 to 1) of the width on, over all pictures. Throws RangeError for lists of
 * different lengths.
 */
export function comparePlanes(
  sources: readonly PlanarPicture[],
  results: readonly PlanarPicture[],
  from: number,
): PlaneLikeness {
  if (sources.length !== results.length || sources.length === 0) {
    throw new RangeError(`comparePlanes: ${sources.length} pictures cannot be compared with ${results.length}.`);
  }
  const [squares, counts] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  let [longestRun, clipped, most] = [0, 0, 0];
  for (const [i, source] of sources.entries()) {
    most = 2 ** source.format.bits - 1;
    for (let k = 0; k < 3; k++) {
      const pair = linesOf(source, results[i], k, from);
      for (const [wanted, given] of pair) {
        for (let x = 0; x < wanted.length; x++) {
          squares[k] = (squares[k] ?? 0) + ((wanted[x] ?? 0) - (given[x] ?? 0)) ** 2;
        }
        counts[k] = (counts[k] ?? 0) + wanted.length;
        if (k > 0) continue;
        longestRun = Math.max(longestRun, runOf(given));
        clipped += clippedOf(wanted, given, 2 ** (source.format.bits - 8));
      }
    }
  }
  const decibels = (k: number) => 10 * Math.log10((most ** 2 * (counts[k] ?? 0)) / (squares[k] ?? 0));
  return { decibels: [decibels(0), decibels(1), decibels(2)], longestRun, clipped };
}

/** Samples of all planes that are not equal. */
export function countDifferent(sources: readonly PlanarPicture[], results: readonly PlanarPicture[]): number {
  let count = 0;
  for (const [i, { planes }] of sources.entries()) {
    for (const [k, plane] of planes.entries()) {
      const other = results[i]?.planes[k];
      for (let at = 0; at < plane.length; at++) if (plane[at] !== other?.[at]) count++;
    }
  }
  return count;
}

function* linesOf(
  source: PlanarPicture,
  result: PlanarPicture | undefined,
  k: number,
  from: number,
): Generator<readonly [Plane, Plane]> {
  const { width = 0, height = 0 } = planeSizes(source.format, source)[k] ?? {};
  const [wanted, given] = [source.planes[k], result?.planes[k]];
  if (wanted === undefined || given?.length !== wanted.length) {
    throw new RangeError('comparePlanes: pictures must have the same size and format.');
  }
  for (let y = 0; y < height; y++) {
    const [start, end] = [y * width + Math.ceil(from * width), (y + 1) * width];
    yield [wanted.subarray(start, end), given.subarray(start, end)];
  }
}

function runOf(line: Plane): number {
  let [longest, run] = [0, 0];
  for (let x = 0; x < line.length; x++) {
    run = x > 0 && line[x] === line[x - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

function clippedOf(wanted: Plane, given: Plane, unit: number): number {
  const [low, high] = [black * unit, white * unit];
  let count = 0;
  for (let x = 0; x < wanted.length; x++) {
    const [before, after] = [wanted[x] ?? 0, given[x] ?? 0];
    if ((before > high + margin * unit && after <= high) || (before < low - margin * unit && after >= low)) count++;
  }
  return count;
}
