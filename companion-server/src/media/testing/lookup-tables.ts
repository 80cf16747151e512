// Lookup tables for tests: from a log curve of a camera to Rec. 709.

import type { LookupTable } from '../../../../protocol/lookup-table.ts';

type Colour = readonly [number, number, number];

/** ARRI LogC3 at EI 800 (ALEXA Log C Curve, 2017): a code 0..1 -> light of the scene, 0.18 for grey. */
function lightOfLog(code: number): number {
  const { cut, a, b, c, d, e, f } = {
    cut: 0.010591,
    a: 5.555556,
    b: 0.052272,
    c: 0.24719,
    d: 0.385537,
    e: 5.367655,
    f: 0.092809,
  };
  return code > e * cut + f ? (10 ** ((code - d) / c) - b) / a : (code - f) / e;
}

/** A code of that curve as Rec. 709 shows it, 0..1: the system's curve, with highlights rolled off. */
export function rec709OfLog(code: number): number {
  const light = Math.max(0, lightOfLog(code));
  const pressed = light / (1 + 0.25 * light);
  return Math.min(1, pressed < 0.018 ? 4.5 * pressed : 1.099 * pressed ** 0.45 - 0.099);
}

/** A table of these colours; for each channel alone by default. */
export function logTable(
  dimensions: 1 | 3,
  size: number,
  colourOf: (code: Colour) => Colour = (code) => code.map(rec709OfLog) as unknown as Colour,
): LookupTable {
  const points = size ** dimensions;
  const samples = new Float32Array(3 * points);
  const at = (index: number) => index / (size - 1);
  for (let i = 0; i < points; i++) {
    const place: Colour =
      dimensions === 1
        ? [at(i), at(i), at(i)]
        : [at(i % size), at(Math.floor(i / size) % size), at(Math.floor(i / size ** 2))];
    samples.set(colourOf(place), 3 * i);
  }
  return { dimensions, size, samples };
}

/** As the text of a .cube file. */
export function cubeText({ dimensions, size, samples }: LookupTable): string {
  const lines = [`LUT_${dimensions}D_SIZE ${size}`];
  for (let i = 0; i < samples.length; i += 3)
    lines.push(Array.from(samples.subarray(i, i + 3), (value) => value.toFixed(6)).join(' '));
  return `${lines.join('\n')}\n`;
}
