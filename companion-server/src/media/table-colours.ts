// Colours through a lookup table of the user, and back. Log footage has no formula here: the table is the only description of
// it, so the way back is found numerically. Pure.

import type { LookupTable } from '../../../protocol/lookup-table.ts';

/** Red, green and blue, 0..1 each; or one of them for each point. */
type Colour = [number, number, number];
/** `slope[3 * i + j]`: how much channel i of the answer changes for channel j of the question. */
type Slope = Float64Array;

/** 16-bit samples, r, g, b a pixel -> 8-bit ones as the table shows them. */
export function shownByTable(stored: Uint16Array, table: LookupTable): Uint8Array {
  const shown = new Uint8Array(stored.length);
  const [colour, answer]: [Colour, Colour] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let i = 0; i < stored.length; i += 3) {
    for (let c = 0; c < 3; c++) colour[c] = (stored[i + c] ?? 0) / 65_535;
    look(table, colour, answer, null);
    for (let c = 0; c < 3; c++) shown[i + c] = Math.round(255 * (answer[c] ?? 0));
  }
  return shown;
}

/**
 * Planes of shown colours, 0..255 -> of the codes that the table shows like that, 0..255: of the nearest ones where it shows
 * no such colour. Equal colours get equal codes.
 */
export function storedByTable(
  shown: readonly [Float32Array, Float32Array, Float32Array],
  table: LookupTable,
): [Float32Array, Float32Array, Float32Array] {
  const [red, green, blue] = shown;
  const stored: [Float32Array, Float32Array, Float32Array] = [red.slice(), green.slice(), blue.slice()];
  const starts = startsOf(table);
  const [wanted, code]: [Colour, Colour] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let i = 0; i < red.length; i++) {
    for (const [c, plane] of shown.entries()) wanted[c] = Math.min(1, Math.max(0, (plane[i] ?? 0) / 255));
    look(starts, wanted, code, null);
    find(table, wanted, code);
    for (const [c, plane] of stored.entries()) plane[i] = 255 * (code[c] ?? 0);
  }
  return stored;
}

/** The table between its points: linear on a curve, in tetrahedra in a cube, which keeps greys grey. */
function look({ dimensions, size, samples }: LookupTable, colour: Colour, answer: Colour, slope: Slope | null): void {
  const last = size - 1;
  slope?.fill(0);
  if (dimensions === 1) {
    for (let c = 0; c < 3; c++) {
      const place = (colour[c] ?? 0) * last;
      const first = Math.min(last - 1, Math.floor(place));
      const before = samples[3 * first + c] ?? 0;
      const step = (samples[3 * first + 3 + c] ?? 0) - before;
      answer[c] = before + (place - first) * step;
      if (slope !== null) slope[4 * c] = step * last;
    }
    return;
  }
  strides[1] = 3 * size;
  strides[2] = 3 * size * size;
  let at = 0;
  for (let c = 0; c < 3; c++) {
    const place = (colour[c] ?? 0) * last;
    const first = Math.min(last - 1, Math.floor(place));
    shares[c] = place - first;
    at += first * (strides[c] ?? 0);
  }
  for (let c = 0; c < 3; c++) answer[c] = samples[at + c] ?? 0;
  const [r, g, b] = shares;
  // From the corner next to black along the axes, the largest share first.
  const order = r >= g ? (g >= b ? 0 : r >= b ? 1 : 4) : r >= b ? 2 : g >= b ? 3 : 5;
  for (const axis of axisOrders[order]) {
    const next = at + strides[axis];
    const share = shares[axis];
    for (let c = 0; c < 3; c++) {
      const rise = (samples[next + c] ?? 0) - (samples[at + c] ?? 0);
      answer[c] = (answer[c] ?? 0) + share * rise;
      if (slope !== null) slope[3 * c + axis] = rise * last;
    }
    at = next;
  }
}

const axisOrders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;
/** Used again for each colour: a new array each time takes longer than the sums. */
const strides: Colour = [3, 0, 0];
const shares: Colour = [0, 0, 0];

/** Points of an axis of the cube of codes from which the search for a shown colour starts. */
const startSize = 9;
const maxSteps = 16;
/** Squared distances in shown colour: a hundredth of a code of 10 bits, and half a code of 8 bits. */
const close = 1e-10;
const visible = (0.5 / 255) ** 2;
/** Of codes, where the slope leads nowhere: the table is flat there, as above white and below black. */
const [widestProbe, finestProbe] = [1 / 8, 1 / 2_048];

const startTables = new WeakMap<LookupTable, LookupTable>();

/** For each shown colour of a coarse cube, the codes that the table shows nearest to it. Made when it is first needed. */
function startsOf(table: LookupTable): LookupTable {
  const known = startTables.get(table);
  if (known !== undefined) return known;
  const points = startSize ** 3;
  const shownAt = new Float32Array(3 * points);
  const [code, answer]: [Colour, Colour] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let i = 0; i < points; i++) {
    gridColour(i, code);
    look(table, code, answer, null);
    shownAt.set(answer, 3 * i);
  }
  const samples = new Float32Array(3 * points);
  const wanted: Colour = [0, 0, 0];
  for (let i = 0; i < points; i++) {
    gridColour(i, wanted);
    gridColour(nearest(shownAt, wanted), code);
    find(table, wanted, code);
    samples.set(code, 3 * i);
  }
  const starts: LookupTable = { dimensions: 3, size: startSize, samples };
  startTables.set(table, starts);
  return starts;
}

function gridColour(index: number, colour: Colour): void {
  const last = startSize - 1;
  colour[0] = (index % startSize) / last;
  colour[1] = (Math.floor(index / startSize) % startSize) / last;
  colour[2] = Math.floor(index / startSize ** 2) / last;
}

/** Of equally near ones the one nearest to grey: what is black for many codes is left for the brightest of them. */
function nearest(colours: Float32Array, wanted: Colour): number {
  let [best, least, leastOff] = [0, Infinity, Infinity];
  const [code, shown]: [Colour, Colour] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let i = 0; i < colours.length; i += 3) {
    for (let c = 0; c < 3; c++) shown[c] = colours[i + c] ?? 0;
    const far = distance(shown, wanted);
    if (far > least) continue;
    gridColour(i / 3, code);
    const off = distance(code, grey);
    if (far < least || off < leastOff) [best, least, leastOff] = [i / 3, far, off];
  }
  return best;
}

const grey: Colour = [0.5, 0.5, 0.5];

const slopeHere: Slope = new Float64Array(9);
const shownHere: Colour = [0, 0, 0];
const shownThere: Colour = [0, 0, 0];
const missing: Colour = [0, 0, 0];
const step: Colour = [0, 0, 0];
const there: Colour = [0, 0, 0];

/** Moves `code` so that the table shows it as `wanted`, or as near to it as can be found. */
function find(table: LookupTable, wanted: Colour, code: Colour): void {
  if (approach(table, wanted, code) <= visible) return;
  if (leaveFlat(table, wanted, code)) approach(table, wanted, code);
}

/** Tries codes at both sides along each axis, ever nearer ones. Returns whether one was better. */
function leaveFlat(table: LookupTable, wanted: Colour, code: Colour): boolean {
  look(table, code, shownHere, null);
  let error = distance(shownHere, wanted);
  let isBetter = false;
  for (let width = widestProbe; width >= finestProbe && error > visible; width /= 2) {
    for (let side = 0; side < 6; side++) {
      const axis = side >> 1;
      const before = code[axis] ?? 0;
      code[axis] = Math.min(1, Math.max(0, before + (side % 2 === 0 ? width : -width)));
      look(table, code, shownThere, null);
      const next = distance(shownThere, wanted);
      if (next < error) [error, isBetter] = [next, true];
      else code[axis] = before;
    }
  }
  return isBetter;
}

/** Moves `code` so that the table shows it nearer to `wanted`: damped Gauss-Newton steps that never leave 0..1 (Levenberg 1944). Returns the squared distance that is left. */
function approach(table: LookupTable, wanted: Colour, code: Colour): number {
  let damping = 1e-6;
  look(table, code, shownHere, slopeHere);
  let error = distance(shownHere, wanted);
  for (let steps = 0; steps < maxSteps && error > close; steps++) {
    for (let c = 0; c < 3; c++) missing[c] = (wanted[c] ?? 0) - (shownHere[c] ?? 0);
    solveStep(code, damping);
    for (let c = 0; c < 3; c++) there[c] = Math.min(1, Math.max(0, (code[c] ?? 0) + (step[c] ?? 0)));
    look(table, there, shownThere, null);
    const next = distance(shownThere, wanted);
    if (next < error) {
      error = next;
      for (let c = 0; c < 3; c++) code[c] = there[c] ?? 0;
      look(table, code, shownHere, slopeHere);
      damping = Math.max(1e-9, damping / 8);
    } else damping *= 16;
  }
  return error;
}

function distance(a: Colour, b: Colour): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}

/** (JᵀJ + damping) step = Jᵀ missing, by Cramer's rule; a channel that would leave 0..1 from its end stays there. */
function solveStep(code: Colour, damping: number): void {
  const j = slopeHere;
  const [right, m] = [rightSide, normal];
  for (let a = 0; a < 3; a++) {
    right[a] = 0;
    for (let c = 0; c < 3; c++) right[a] = (right[a] ?? 0) + (j[3 * c + a] ?? 0) * (missing[c] ?? 0);
  }
  for (let a = 0; a < 3; a++) {
    const [value, pull] = [code[a] ?? 0, right[a] ?? 0];
    if (!((value <= 0 && pull < 0) || (value >= 1 && pull > 0))) continue;
    right[a] = 0;
    for (let c = 0; c < 3; c++) j[3 * c + a] = 0;
  }
  for (let a = 0; a < 3; a++) {
    for (let b = 0; b < 3; b++) {
      let sum = a === b ? damping : 0;
      for (let c = 0; c < 3; c++) sum += (j[3 * c + a] ?? 0) * (j[3 * c + b] ?? 0);
      m[3 * a + b] = sum;
    }
  }
  const whole = determinant(m);
  for (let a = 0; a < 3; a++) {
    replaced.set(m);
    for (let row = 0; row < 3; row++) replaced[3 * row + a] = right[row] ?? 0;
    step[a] = determinant(replaced) / whole;
  }
}

const rightSide: Colour = [0, 0, 0];
const normal = new Float64Array(9);
const replaced = new Float64Array(9);

function determinant(m: Float64Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = m;
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}
