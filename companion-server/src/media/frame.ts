// What every module means by a picture and its size.

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** An exact ratio: frames per second, or the width of a pixel to its height. Both parts are positive integers. */
export interface Rational {
  readonly numerator: number;
  readonly denominator: number;
}

/**
 * One picture. `rgb` holds height rows of width pixels of 3 bytes, gamma-coded, full range; its owner is whoever
 * received the frame, who may keep or change it: no producer touches it again.
 */
export interface Frame extends Size {
  /** 0-based, counted from the first frame of the clip (not of the in/out range). */
  readonly index: number;
  readonly rgb: Uint8Array;
}

/** Lowest terms. */
export function reduceRational(numerator: number, denominator: number): Rational {
  let [a, b] = [numerator, denominator];
  while (b !== 0) [a, b] = [b, a % b];
  return { numerator: numerator / a, denominator: denominator / a };
}

export function rationalValue(ratio: Rational): number {
  return ratio.numerator / ratio.denominator;
}

/** Reads ffmpeg's `30000/1001` or `4:3`. Null for `0/0`, `N/A` and anything that is no positive ratio. */
export function parseRational(text: string | undefined): Rational | null {
  const match = /^(\d+)[/:](\d+)$/.exec(text ?? '');
  const [numerator, denominator] = [Number(match?.[1]), Number(match?.[2])];
  return numerator > 0 && denominator > 0 ? reduceRational(numerator, denominator) : null;
}
