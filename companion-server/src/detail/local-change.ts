// What an edit changed in a small picture, in a form that can be applied to a large one: around every point, the edited
// colour is a linear function of the source's colour. He, Sun and Tang, "Guided image filtering", ECCV 2010, equations
// 19-21 (a colour guide), with two differences. The function is fitted to the change, so that the ridge penalty favours
// no change of the source. And where the function explains little of the edit, the edit has replaced the object that was
// there: the source fades out.

import type { Size } from '../media/frame.ts';
import type { RgbPlanes } from '../media/rgb-planes.ts';
import { boxMean } from './box-mean.ts';

/** Colours are counted from the middle grey of `middle`. edited = `gains` . source + `offsets`, exactly, at every point. */
export interface LocalChange extends Size {
  /** 9 planes [height * width], row by row of a 3 x 3 matrix. */
  readonly gains: readonly Float32Array[];
  /** 3 planes [height * width] */
  readonly offsets: readonly Float32Array[];
}

export const middle = 128;

/** Points around each that a function is fitted to, and that it is then averaged over. */
const fitRadius = 2;
const smoothRadius = 2;
/** Variance, of 255 squared, below which a source is taken for flat: its detail is kept. He et al. call it epsilon. */
const flatVariance = 60;
/** The same where functions that change slowly are fitted: they see more points, and must tell two flat colours apart. */
const smoothRidge = 1;
/** The same for the edit, where the share that is explained is asked for. */
const flatEdit = 10;

/**
 * Fits `edited` to `source`, the same frame before the edit and of the same size: it must have gone the way of the edited
 * one (here, through the VAE), or that way's losses are taken for the edit's. Equal frames give the identity exactly.
 */
export function fitChange(source: RgbPlanes, edited: RgbPlanes): LocalChange {
  const { width, height } = source;
  const around: Around = (plane, factor) => boxMean(plane, source, fitRadius, factor);
  const from = mapRgb((c) => planeOf(source, c));
  const fromMeans = mapRgb((c) => around(from[c]));
  const variances = symmetric((i, j) => covariance(from[i], fromMeans[i], from[j], fromMeans[j], around));
  const inverse = invertRidged(variances);
  const unexplained = new Float32Array(width * height);
  const whole = new Float32Array(width * height);
  const gains = mapRgb((c) => {
    const change = difference(planeOf(edited, c), from[c]);
    const mean = around(change);
    const crossed = mapRgb((j) => covariance(change, mean, from[j], fromMeans[j], around));
    const spread = covariance(change, mean, change, mean, around);
    const fit = fitChannel(crossed, inverse);
    addUnexplained({ unexplained, whole }, c, { crossed, spread, fit }, variances);
    return fit;
  });
  for (const [c, row] of gains.entries()) {
    for (const [j, plane] of row.entries()) keepExplained(plane, c === j, unexplained, whole);
  }
  const smooth = mapRgb((c) => mapRgb((j) => boxMean(gains[c][j], source, smoothRadius)));
  const offsets = mapRgb((c) => restOf(planeOf(edited, c), smooth[c], from));
  return { width, height, gains: smooth.flat(), offsets };
}

/**
 * Fits `edited` to `source`, the same frame before the edit, by functions that change slowly: they may be used for other
 * pictures of the same things, whose edges lie elsewhere. What no function of the colour explains is lost.
 * @param radius points around each that a function is fitted to, and that it is then averaged over
 */
export function fitSmoothChange(source: RgbPlanes, edited: RgbPlanes, radius: number): LocalChange {
  const { width, height } = source;
  const around: Around = (plane, factor) => boxMean(plane, source, radius, factor);
  const from = mapRgb((c) => planeOf(source, c));
  const means = mapRgb((c) => around(from[c]));
  const inverse = invertRidged(
    symmetric((i, j) => covariance(from[i], means[i], from[j], means[j], around)),
    smoothRidge,
  );
  const fits = mapRgb((c) => {
    const change = difference(planeOf(edited, c), from[c]);
    const mean = around(change);
    const gains = fitChannel(
      mapRgb((j) => covariance(change, mean, from[j], means[j], around)),
      inverse,
    );
    return { gains: mapRgb((j) => around(gains[j])), offset: around(restOf(mean, gains, means)) };
  });
  const gains = mapRgb((c) => mapRgb((j) => (c === j ? fits[c].gains[j].map((gain) => gain + 1) : fits[c].gains[j])));
  return { width, height, gains: gains.flat(), offsets: mapRgb((c) => fits[c].offset) };
}

/** What turns `source` into `edited` point by point, of the same size: nothing at points that are alike. */
export function exactChange(source: RgbPlanes, edited: RgbPlanes): LocalChange {
  const { width, height } = source;
  const [nothing, one] = [new Float32Array(width * height), new Float32Array(width * height).fill(1)];
  const gains = mapRgb((c) => mapRgb((j) => (c === j ? one : nothing)));
  return {
    width,
    height,
    gains: gains.flat(),
    offsets: mapRgb((c) => difference(planeOf(edited, c), planeOf(source, c))),
  };
}

/** `edited` in place of whatever was there. */
export function replaceBy(edited: RgbPlanes): LocalChange {
  const { width, height } = edited;
  const nothing = new Float32Array(width * height);
  return { width, height, gains: Array.from({ length: 9 }, () => nothing), offsets: mapRgb((c) => planeOf(edited, c)) };
}

/** Red, green, blue. */
export type Rgb<T> = readonly [T, T, T];
type Channel = 0 | 1 | 2;
/** A symmetric 3 x 3 matrix at every point: its planes rr, rg, rb, gg, gb, bb. */
type Symmetric = readonly [Plane, Plane, Plane, Plane, Plane, Plane];
type Plane = Float32Array;

export function mapRgb<T>(make: (channel: Channel) => T): Rgb<T> {
  return [make(0), make(1), make(2)];
}

export function symmetric(make: (row: Channel, column: Channel) => Plane): Symmetric {
  return [make(0, 0), make(0, 1), make(0, 2), make(1, 1), make(1, 2), make(2, 2)];
}

/** The mean around each point, of a plane or of the product of two. */
type Around = (plane: Plane, factor?: Plane) => Plane;

/** Around each point. */
export function covariance(a: Plane, aMean: Plane, b: Plane, bMean: Plane, around: Around): Plane {
  const out = around(a, b);
  for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) - (aMean[i] ?? 0) * (bMean[i] ?? 0);
  return out;
}

/** The inverse with the ridge added, by cofactors. */
export function invertRidged([rr, rg, rb, gg, gb, bb]: Symmetric, ridge: number = flatVariance): Symmetric {
  const inverse = symmetric(() => new Float32Array(rr.length));
  const [i00, i01, i02, i11, i12, i22] = inverse;
  for (let i = 0; i < rr.length; i++) {
    const a = (rr[i] ?? 0) + ridge;
    const d = (gg[i] ?? 0) + ridge;
    const f = (bb[i] ?? 0) + ridge;
    const [b, c, e] = [rg[i] ?? 0, rb[i] ?? 0, gb[i] ?? 0];
    const c00 = d * f - e * e;
    const c01 = c * e - b * f;
    const c02 = b * e - c * d;
    const scale = 1 / (a * c00 + b * c01 + c * c02);
    i00[i] = c00 * scale;
    i01[i] = c01 * scale;
    i02[i] = c02 * scale;
    i11[i] = (a * f - c * c) * scale;
    i12[i] = (b * c - a * e) * scale;
    i22[i] = (a * d - b * b) * scale;
  }
  return inverse;
}

/** How one channel's change follows from the source's three. */
export function fitChannel([x, y, z]: Rgb<Plane>, [i00, i01, i02, i11, i12, i22]: Symmetric): Rgb<Plane> {
  const fit = mapRgb(() => new Float32Array(x.length));
  const [u, v, w] = fit;
  for (let i = 0; i < x.length; i++) {
    const [r, g, b] = [x[i] ?? 0, y[i] ?? 0, z[i] ?? 0];
    u[i] = (i00[i] ?? 0) * r + (i01[i] ?? 0) * g + (i02[i] ?? 0) * b;
    v[i] = (i01[i] ?? 0) * r + (i11[i] ?? 0) * g + (i12[i] ?? 0) * b;
    w[i] = (i02[i] ?? 0) * r + (i12[i] ?? 0) * g + (i22[i] ?? 0) * b;
  }
  return fit;
}

interface FittedChannel {
  readonly crossed: Rgb<Plane>;
  readonly spread: Plane;
  readonly fit: Rgb<Plane>;
}

/** Adds one channel's variance of the edit, and the part of it that the fit leaves. */
function addUnexplained(
  { unexplained, whole }: { readonly unexplained: Plane; readonly whole: Plane },
  c: Channel,
  { crossed, spread, fit }: FittedChannel,
  [rr, rg, rb, gg, gb, bb]: Symmetric,
): void {
  const [x, y, z] = crossed;
  const [us, vs, ws] = fit;
  const own = c === 0 ? rr : c === 1 ? gg : bb;
  const ownCrossed = crossed[c];
  for (let i = 0; i < whole.length; i++) {
    const [u, v, w] = [us[i] ?? 0, vs[i] ?? 0, ws[i] ?? 0];
    const across = v * (rg[i] ?? 0) + w * (rb[i] ?? 0);
    const fitted =
      u * (u * (rr[i] ?? 0) + 2 * across) + v * (v * (gg[i] ?? 0) + 2 * w * (gb[i] ?? 0)) + w * w * (bb[i] ?? 0);
    const explained = 2 * (u * (x[i] ?? 0) + v * (y[i] ?? 0) + w * (z[i] ?? 0)) - fitted;
    const change = spread[i] ?? 0;
    unexplained[i] = (unexplained[i] ?? 0) + Math.max(0, change - explained);
    whole[i] = (whole[i] ?? 0) + Math.max(0, (own[i] ?? 0) + 2 * (ownCrossed[i] ?? 0) + change);
  }
}

/** From how the change follows from the source to how the edit does, as far as it does. In place. */
function keepExplained(gain: Plane, isOwn: boolean, unexplained: Plane, whole: Plane): void {
  const one = isOwn ? 1 : 0;
  for (let i = 0; i < gain.length; i++) {
    const share = Math.max(0, 1 - (unexplained[i] ?? 0) / ((whole[i] ?? 0) + flatEdit));
    gain[i] = ((gain[i] ?? 0) + one) * share * share;
  }
}

/** What is left of one channel of the edit where the gains have taken their part. In place. */
function restOf(edited: Plane, [u, v, w]: Rgb<Plane>, [r, g, b]: Rgb<Plane>): Plane {
  for (let i = 0; i < edited.length; i++) {
    const explained = (u[i] ?? 0) * (r[i] ?? 0) + (v[i] ?? 0) * (g[i] ?? 0) + (w[i] ?? 0) * (b[i] ?? 0);
    edited[i] = (edited[i] ?? 0) - explained;
  }
  return edited;
}

/** Around 0, where single precision is finest. */
export function planeOf({ planes }: RgbPlanes, c: Channel): Plane {
  const plane = planes[c].slice();
  for (let i = 0; i < plane.length; i++) plane[i] = (plane[i] ?? 0) - middle;
  return plane;
}

function difference(a: Plane, b: Plane): Plane {
  for (let i = 0; i < a.length; i++) a[i] = (a[i] ?? 0) - (b[i] ?? 0);
  return a;
}
