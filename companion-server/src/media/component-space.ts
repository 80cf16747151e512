// From red, green and blue to the codes of a clip's planes, and where those are centred. Rec. ITU-T H.273, equations 1-38
// (video range, 8.3 "Matrix coefficients") and table 4.

import { isRgb, scaleMatrix, storedRange } from './colour.ts';
import type { ClipInfo } from './probe/clip-info.ts';
import type { PlaneFormat } from './planes.ts';

/** Weights of red and blue in luma, by ffmpeg's name of the matrix for its scale filter. */
const lumaWeights: Readonly<Record<string, readonly [red: number, blue: number]>> = {
  bt709: [0.2126, 0.0722],
  bt470: [0.299, 0.114],
  smpte170m: [0.299, 0.114],
  smpte240m: [0.212, 0.087],
  fcc: [0.3, 0.11],
  bt2020: [0.2627, 0.0593],
};

/** Row by row. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

/** The codes of a picture's planes as a function of its colour. */
export interface ComponentSpace {
  /** A step of red, green and blue (of 255) -> steps of the three planes' codes. */
  readonly fromRgb: Matrix3;
  readonly toRgb: Matrix3;
  /** The codes of the grey 128, 128, 128. */
  readonly grey: readonly [number, number, number];
}

/** Of the planes that `decodePlanes` gives for the clip. */
export function componentSpaceOf(
  clip: Pick<ClipInfo, 'colour' | 'frameSize' | 'pixelFormat'>,
  format: PlaneFormat,
): ComponentSpace {
  if (format.components === 'gbr') return gbrSpace(format.bits);
  const most = 2 ** format.bits - 1;
  const range = isRgb(clip.pixelFormat) ? 'tv' : storedRange(clip);
  const unit = 2 ** (format.bits - 8);
  const [lumaSpan, chromaSpan, black] = range === 'tv' ? [219 * unit, 224 * unit, 16 * unit] : [most, most, 0];
  const [red = 0, blue = 0] = lumaWeights[scaleMatrix(clip.colour, clip.frameSize)] ?? [];
  const green = 1 - red - blue;
  const [l, b, r] = [lumaSpan / 255, chromaSpan / 255 / (2 * (1 - blue)), chromaSpan / 255 / (2 * (1 - red))];
  const fromRgb: Matrix3 = [
    ...([l * red, l * green, l * blue] as const),
    ...([-b * red, -b * green, b * (1 - blue)] as const),
    ...([r * (1 - red), -r * green, -r * blue] as const),
  ];
  const neutral = 2 ** (format.bits - 1);
  return { fromRgb, toRgb: inverse(fromRgb), grey: [black + (lumaSpan * 128) / 255, neutral, neutral] };
}

/** Of planes of green, blue and red. */
export function gbrSpace(bits: number): ComponentSpace {
  const step = (2 ** bits - 1) / 255;
  const fromRgb: Matrix3 = [0, step, 0, 0, 0, step, step, 0, 0];
  const grey = 128 * step;
  return { fromRgb, toRgb: inverse(fromRgb), grey: [grey, grey, grey] };
}

function inverse([a, b, c, d, e, f, g, h, i]: Matrix3): Matrix3 {
  const [x, y, z] = [e * i - f * h, f * g - d * i, d * h - e * g];
  const det = a * x + b * y + c * z;
  const adjugate = [x, c * h - b * i, b * f - c * e, y, a * i - c * g, c * d - a * f, z, b * g - a * h, a * e - b * d];
  return adjugate.map((value) => value / det) as unknown as Matrix3;
}
