// Pictures as clips store them: a plane for each component, in the clip's own bits, sampling and range. Where an edit
// changes nothing, a sample keeps its code, which no way over RGB can promise.

import type { Size } from './frame.ts';

/** How a planar picture is stored. */
export interface PlaneFormat {
  /** ffmpeg's name, little-endian where a sample has more than 8 bits. */
  readonly name: string;
  /** `ycbcr`: luma and two chroma planes. `gbr`: green, blue and red, as ffmpeg orders them. */
  readonly components: 'ycbcr' | 'gbr';
  /** Of a sample, 8 to 16; above 8 a sample takes two bytes. */
  readonly bits: number;
  /** A chroma plane has one sample for 2^x columns and 2^y rows. */
  readonly chromaShift: { readonly x: 0 | 1 | 2; readonly y: 0 | 1 | 2 };
  /** A fourth plane holds straight alpha. */
  readonly hasAlpha: boolean;
}

export type Plane = Uint8Array | Uint16Array;

export interface PlanarPicture extends Size {
  readonly format: PlaneFormat;
  /** 3, or 4 with alpha: rows of samples, without padding. */
  readonly planes: readonly Plane[];
}

/** A picture of a clip; `index` counts from the clip's first frame. Its planes belong to the receiver. */
export interface PlanarFrame extends PlanarPicture {
  readonly index: number;
}

const chromaShifts = {
  '444': { x: 0, y: 0 },
  '422': { x: 1, y: 0 },
  '420': { x: 1, y: 1 },
  '440': { x: 0, y: 1 },
  '411': { x: 2, y: 0 },
  '410': { x: 2, y: 2 },
} as const satisfies Record<string, PlaneFormat['chromaShift']>;
export type ChromaSampling = keyof typeof chromaShifts;

/** Depths that ffmpeg has for every planar sampling from 4:2:0 to 4:4:4 and for RGB. */
const depths = [8, 10, 12, 16] as const;

/** Throws RangeError for what ffmpeg has no planar format for. */
export function yuvFormat(sampling: ChromaSampling, bits: number, hasAlpha = false): PlaneFormat {
  const [depth, carriers] = [depthFor(bits), ['420', '422', '444']];
  const isCarried = depth === 8 || carriers.includes(sampling) || (sampling === '440' && depth < 16 && !hasAlpha);
  const carrier = isCarried && (!hasAlpha || carriers.includes(sampling)) ? sampling : '444';
  // With alpha, twelve bits are only carried in 4:2:2 and 4:4:4.
  const carrierDepth = hasAlpha && depth === 12 && carrier === '420' ? 16 : depth;
  return {
    name: `yuv${hasAlpha ? 'a' : ''}${carrier}p${suffix(carrierDepth)}`,
    components: 'ycbcr',
    bits: carrierDepth,
    chromaShift: chromaShifts[carrier],
    hasAlpha,
  };
}

/** As `yuvFormat`. */
export function gbrFormat(bits: number, hasAlpha = false): PlaneFormat {
  const depth = depthFor(bits);
  return {
    name: `gbr${hasAlpha ? 'a' : ''}p${suffix(depth)}`,
    components: 'gbr',
    bits: depth,
    chromaShift: chromaShifts['444'],
    hasAlpha,
  };
}

/** The format that holds the same planes and alpha; null where ffmpeg has none. */
export function withAlpha(format: PlaneFormat): PlaneFormat | null {
  if (format.hasAlpha) return format;
  if (format.components === 'gbr') return gbrFormat(format.bits, true);
  const { x, y } = format.chromaShift;
  const sampling = (Object.keys(chromaShifts) as ChromaSampling[]).find(
    (name) => chromaShifts[name].x === x && chromaShifts[name].y === y,
  );
  if (sampling === undefined) return null;
  const found = yuvFormat(sampling, format.bits, true);
  return found.bits === format.bits && found.chromaShift.x === x && found.chromaShift.y === y ? found : null;
}

function depthFor(bits: number): number {
  const depth = depths.find((one) => one >= bits);
  if (depth === undefined) throw new RangeError(`planes: bits must be 1 to 16, got ${bits}.`);
  return depth;
}

const suffix = (depth: number): string => (depth === 8 ? '' : `${depth}le`);

/** Packed and half-planar formats that hold what a planar one holds: NV12 and its like, 4:2:2 in one row. */
const alike: readonly [RegExp, ChromaSampling][] = [
  [/^(nv12|nv21|p01[0-6](le|be))$/, '420'],
  [/^(nv16|nv20(le|be)|yuyv422|uyvy422|yvyu422|y21[0-6](le|be)|p21[0-6](le|be))$/, '422'],
  [/^(nv24|nv42|ayuv64(le|be)|vuy[ax]|xv3[06](le|be)|p41[0-6](le|be)|v30x(le|be))$/, '444'],
  [/^uyyvyy411$/, '411'],
];

/**
 * The planar format that holds every sample of a clip's `pixelFormat` (ffmpeg's name) as it is. For a format that is not
 * known here, 4:4:4 of 16 bits, which loses nothing that can be seen.
 */
export function planeFormatOf(pixelFormat: string, bits: number): PlaneFormat {
  const planar = /^yuv(a?|j?)(444|422|420|440|411|410)p/.exec(pixelFormat);
  if (planar !== null) return yuvFormat(planar[2] as ChromaSampling, bits, planar[1] === 'a');
  if (pixelFormat.startsWith('gray')) return yuvFormat('444', bits);
  if (/^ya\d/.test(pixelFormat)) return yuvFormat('444', bits, true);
  if (
    /^(rgb|bgr|gbr|0rgb|0bgr|rgb0|bgr0|x2rgb|x2bgr|mono|bayer)/.test(pixelFormat) &&
    !/^(rgba|bgra|gbrap)/.test(pixelFormat)
  ) {
    return gbrFormat(bits);
  }
  if (/^(rgba|bgra|argb|abgr|gbrap|pal8)/.test(pixelFormat)) return gbrFormat(bits, true);
  const sampling = alike.find(([pattern]) => pattern.test(pixelFormat))?.[1];
  return sampling === undefined ? yuvFormat('444', 16) : yuvFormat(sampling, bits);
}

/** Size of each plane, in samples. */
export function planeSizes({ chromaShift: { x, y }, hasAlpha }: PlaneFormat, { width, height }: Size): readonly Size[] {
  const chroma = { width: Math.ceil(width / 2 ** x), height: Math.ceil(height / 2 ** y) };
  const whole = { width, height };
  return [whole, chroma, chroma, ...(hasAlpha ? [whole] : [])];
}

/** Of a raw picture. */
export function byteLength(format: PlaneFormat, size: Size): number {
  const samples = planeSizes(format, size).reduce((sum, { width, height }) => sum + width * height, 0);
  return samples * (format.bits > 8 ? 2 : 1);
}

/** `bytes` as ffmpeg's `rawvideo` has them -> planes that share them. Throws RangeError for another length. */
export function toPlanes(bytes: Uint8Array, format: PlaneFormat, size: Size): Plane[] {
  if (bytes.length !== byteLength(format, size)) {
    throw new RangeError(
      `toPlanes: ${format.name} of ${size.width} x ${size.height} has ${byteLength(format, size)} bytes, got ${bytes.length}.`,
    );
  }
  let offset = bytes.byteOffset;
  return planeSizes(format, size).map(({ width, height }) => {
    const [start, count] = [offset, width * height];
    offset += count * (format.bits > 8 ? 2 : 1);
    return format.bits > 8 ? new Uint16Array(bytes.buffer, start, count) : new Uint8Array(bytes.buffer, start, count);
  });
}

/** The bytes of a plane, shared. */
export function planeBytes(plane: Plane): Uint8Array {
  return new Uint8Array(plane.buffer, plane.byteOffset, plane.byteLength);
}
