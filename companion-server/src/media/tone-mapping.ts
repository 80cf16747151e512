// HDR pictures as a model knows pictures: in standard range, with sRGB's transfer function and Rec. 709's primaries. And
// the way back, so that an edit of such a picture can be told in the clip's own codes. Both ways are functions of one
// colour, and each undoes the other wherever the colour is inside Rec. 709's gamut, not above `peakLight`, and has a code. Pure.

import type { ClipInfo, ToneMapping } from './probe/clip-info.ts';
import type { RgbPlanes } from './rgb-planes.ts';

/** The clip, shown in standard range if it is of high dynamic range. Its primaries are taken for BT.2020's. */
export function toneMapped(clip: ClipInfo): ClipInfo {
  const { transfer } = clip.colour;
  const toneMapping = transfer === 'smpte2084' ? 'pq' : transfer === 'arib-std-b67' ? 'hlg' : null;
  return toneMapping === null ? clip : { ...clip, toneMapping };
}

/** Candela per square metre: diffuse white (Rep. ITU-R BT.2408), and the light that becomes white in standard range. */
const [referenceWhite, peakLight] = [203, 1_000];

/** 16-bit samples in the clip's own code, r, g, b a pixel, full range -> 8-bit ones in standard range. */
export function toStandardRange(stored: Uint16Array, mapping: ToneMapping): Uint8Array {
  const decode = (decodingTables[mapping] ??= Float32Array.from({ length: 2 ** 16 }, (_, i) =>
    transfers[mapping].decode(i / (2 ** 16 - 1)),
  ));
  const shown = new Uint8Array(stored.length);
  const colour: Colour = [0, 0, 0];
  for (let i = 0; i < stored.length; i += 3) {
    for (let c = 0; c < 3; c++) colour[c] = decode[stored[i + c] ?? 0] ?? 0;
    transfers[mapping].toDisplay(colour);
    multiply(toRec709, colour);
    for (let c = 0; c < 3; c++) shown[i + c] = showingTable[showingIndex(colour[c] ?? 0)] ?? 0;
  }
  return shown;
}

/** A picture in standard range, 0..255 -> in the clip's own code, 0..255; brighter ones become 255. */
export function toClipCode(shown: RgbPlanes, mapping: ToneMapping): RgbPlanes {
  const { fromDisplay, encode } = transfers[mapping];
  const [red, green, blue] = shown.planes;
  const planes: RgbPlanes['planes'] = [red.slice(), green.slice(), blue.slice()];
  const colour: Colour = [0, 0, 0];
  for (let i = 0; i < red.length; i++) {
    for (const [c, plane] of shown.planes.entries()) colour[c] = lightOf((plane[i] ?? 0) / 255);
    multiply(toBt2020, colour);
    fromDisplay(colour);
    for (const [c, plane] of planes.entries()) plane[i] = 255 * Math.min(1, encode(colour[c] ?? 0));
  }
  return { ...shown, planes };
}

/**
 * The function of 0..1 by a table that is made when it is first used, linear between its points. Powers for every sample of
 * every frame take too long.
 */
function tabled(exact: (value: number) => number): (value: number) => number {
  const last = 2 ** 13;
  let table: Float32Array | null = null;
  return (value) => {
    table ??= Float32Array.from({ length: last + 1 }, (_, i) => exact(i / last));
    const at = Math.min(1, Math.max(0, value)) * last;
    const first = Math.floor(at);
    const before = table[first] ?? 0;
    return before + (at - first) * ((table[first + 1] ?? before) - before);
  };
}

/** Red, green and blue; changed in place. */
type Colour = [number, number, number];
type Matrix = readonly [Colour, Colour, Colour];

/** Rep. ITU-R BT.2407, 2.2: BT.2020's primaries -> Rec. 709's, for linear light. */
const toRec709: Matrix = [
  [1.660491, -0.5876411, -0.0728499],
  [-0.1245505, 1.1328999, -0.0083494],
  [-0.0181508, -0.1005789, 1.1187297],
];
/** Rec. ITU-R BT.2087, M2: the other way. */
const toBt2020: Matrix = [
  [0.6274039, 0.329283, 0.0433131],
  [0.0690973, 0.9195404, 0.0113623],
  [0.0163914, 0.0880133, 0.8955953],
];

function multiply(matrix: Matrix, colour: Colour): void {
  const [r, g, b] = colour;
  for (const [c, [x, y, z]] of matrix.entries()) colour[c] = x * r + y * g + z * b;
}

interface Transfer {
  /** A code, 0..1, of one channel -> light: on the display for PQ, of the scene for HLG. */
  readonly decode: (code: number) => number;
  readonly encode: (light: number) => number;
  /** That light -> light on the display, 1 for diffuse white. */
  readonly toDisplay: (colour: Colour) => void;
  readonly fromDisplay: (colour: Colour) => void;
}

/** Rec. ITU-R BT.2100, table 4. */
const pq = {
  m1: 2610 / 16_384,
  m2: (2523 / 4096) * 128,
  c1: 3424 / 4096,
  c2: (2413 / 4096) * 32,
  c3: (2392 / 4096) * 32,
};

const pqCodeOf = tabled((root) => {
  const power = ((root ** 4 * peakLight) / 10_000) ** pq.m1;
  return ((pq.c1 + pq.c2 * power) / (1 + pq.c3 * power)) ** pq.m2;
});

const displayPq: Transfer = {
  decode(code) {
    const power = code ** (1 / pq.m2);
    return (10_000 / referenceWhite) * (Math.max(0, power - pq.c1) / (pq.c2 - pq.c3 * power)) ** (1 / pq.m1);
  },
  // Codes are close together in the dark: the steps of the table are even in the fourth root of light.
  encode: (light) => pqCodeOf(Math.sqrt(Math.sqrt(Math.max(0, light) / peak))),
  toDisplay: () => undefined,
  fromDisplay: () => undefined,
};

/** Rec. ITU-R BT.2100, table 5, with the system gamma of a display of 1000 cd/m2. */
const hlg = { a: 0.17883277, b: 0.28466892, c: 0.55991073, gamma: 1.2, luma: [0.2627, 0.678, 0.0593] } as const;

function luminanceOf([r, g, b]: Colour): number {
  return hlg.luma[0] * r + hlg.luma[1] * g + hlg.luma[2] * b;
}

const sceneHlg: Transfer = {
  decode: (code) => (code <= 0.5 ? code ** 2 / 3 : (Math.exp((code - hlg.c) / hlg.a) + hlg.b) / 12),
  encode: (light) => (light <= 1 / 12 ? Math.sqrt(3 * light) : hlg.a * Math.log(12 * light - hlg.b) + hlg.c),
  toDisplay(colour) {
    scaleBy(colour, (luminanceOf(colour) ** (hlg.gamma - 1) * peakLight) / referenceWhite);
  },
  fromDisplay(colour) {
    for (let c = 0; c < 3; c++) colour[c] = (Math.max(0, colour[c] ?? 0) * referenceWhite) / peakLight;
    const scene = luminanceOf(colour) ** (1 / hlg.gamma);
    scaleBy(colour, scene === 0 ? 0 : scene ** (1 - hlg.gamma));
  },
};

const transfers: Readonly<Record<ToneMapping, Transfer>> = { pq: displayPq, hlg: sceneHlg };
/** Made when they are needed. */
const decodingTables: Partial<Record<ToneMapping, Float32Array>> = {};

function scaleBy(colour: Colour, factor: number): void {
  for (let c = 0; c < 3; c++) colour[c] = (colour[c] ?? 0) * factor;
}

/**
 * The curve `mobius` of ffmpeg's filter tonemap: light up to `knee` stays, and from there to `peak` it is pressed together
 * towards 1. Its slope has no step.
 */
const [knee, peak] = [0.3, peakLight / referenceWhite];
const mobius = {
  a: (-(knee ** 2) * (peak - 1)) / (knee ** 2 - 2 * knee + peak),
  b: (knee ** 2 - 2 * knee * peak + peak) / (peak - 1),
};
const mobiusScale = (mobius.b ** 2 + 2 * mobius.b * knee + knee ** 2) / (mobius.b - mobius.a);

function compress(light: number): number {
  return light <= knee ? light : Math.min(1, (mobiusScale * (light + mobius.a)) / (light + mobius.b));
}

function expand(shown: number): number {
  return shown <= knee ? shown : (shown * mobius.b - mobiusScale * mobius.a) / (mobiusScale - shown);
}

/** IEC 61966-2-1. */
function encodeSrgb(light: number): number {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
}

function decodeSrgb(code: number): number {
  return code <= 0.04045 ? code / 12.92 : ((code + 0.055) / 1.055) ** 2.4;
}

/** Light on the display of a code in standard range, 0..1. */
const lightOf = tabled((code) => expand(decodeSrgb(code)));

/** Light from 0 to the peak in steps that are finer in the dark, where codes are closer together -> codes of 8 bits. */
const showingTable = Uint8Array.from({ length: 2 ** 12 }, (_, i) =>
  Math.round(255 * encodeSrgb(compress(peak * (i / (2 ** 12 - 1)) ** 2))),
);

function showingIndex(light: number): number {
  return Math.round((2 ** 12 - 1) * Math.sqrt(Math.min(1, Math.max(0, light / peak))));
}
