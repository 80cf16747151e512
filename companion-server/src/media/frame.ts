// The types of a picture and its size, for all modules.

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
 * How pixels are written, by ffmpeg's names: red, green and blue, and straight alpha behind them in `rgba` and `rgba64le`.
 * 8 bits a sample, or 16 in `rgb48le` and `rgba64le`.
 */
export type PixelFormat = 'rgb24' | 'rgba' | 'rgb48le' | 'rgba64le';

/** `rgb` holds height rows of width pixels as `pixelFormat` says, gamma-coded, full range. */
export interface Picture<Format extends PixelFormat = PixelFormat> extends Size {
  readonly pixelFormat: Format;
  readonly rgb: Format extends 'rgb24' | 'rgba' ? Uint8Array : Uint16Array;
}

/**
 * One picture of a clip. Its pixels belong to the receiver, which may keep or change them: no producer writes to them
 * again.
 */
export interface Frame<Format extends PixelFormat = PixelFormat> extends Picture<Format> {
  /** 0-based, counted from the first frame of the clip (not of the in/out range). */
  readonly index: number;
}

/** 8 bits, no alpha: what clips are decoded to, and what an edit computes with. */
export type Rgb24Frame = Frame<'rgb24'>;

/** Throws RangeError, which begins with `caller`, for a picture of another format: it takes and makes no other. */
export function requireRgb24(caller: string, picture: Picture): asserts picture is Picture<'rgb24'> {
  if (picture.pixelFormat === 'rgb24') return;
  throw new RangeError(`${caller}: the pixel format must be rgb24, got ${picture.pixelFormat}.`);
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
