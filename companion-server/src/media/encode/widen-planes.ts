// Planes of 8 bits with alpha as planes of 10. ffmpeg's scaler shifts alpha as it shifts luma, so that its opaque 255
// becomes 1020 of 1023.

import { gbrFormat, yuvFormat, type PlanarFrame, type PlaneFormat } from '../planes.ts';

const widerBits = 10;
/** From the largest code of 8 bits to that of 10. */
const fullScale = (2 ** widerBits - 1) / 255;
const videoScale = 2 ** (widerBits - 8);

/** The format in which planes of `format` go to an encoder of 10 bits; null where they can go as they are. */
export function widerFormat(format: PlaneFormat): PlaneFormat | null {
  if (!format.hasAlpha || format.bits !== 8) return null;
  if (format.components === 'gbr') return gbrFormat(widerBits, true);
  const { x, y } = format.chromaShift;
  return yuvFormat(x === 0 ? '444' : y === 0 ? '422' : '420', widerBits, true);
}

/**
 * The same picture in `format`, one that `widerFormat` gave: alpha and RGB from 0..255 to 0..1023, luma and chroma likewise
 * in the full range `pc`, four times their code in the video range `tv` (ITU-T H.273, section 8.3).
 */
export function widenPlanes(frame: PlanarFrame, format: PlaneFormat, range: 'tv' | 'pc'): PlanarFrame {
  const full = (code: number): number => Math.round(code * fullScale);
  const chroma = (code: number): number => Math.min(1023, Math.max(0, Math.round((code - 128) * fullScale) + 512));
  const video = (code: number): number => code * videoScale;
  const isRgb = format.components === 'gbr';
  const isFull = isRgb || range === 'pc';
  const planes = frame.planes.map((plane, k) => {
    const isChroma = !isRgb && (k === 1 || k === 2);
    const widen = k === 3 ? full : !isFull ? video : isChroma ? chroma : full;
    return Uint16Array.from(plane, widen);
  });
  return { ...frame, format, planes };
}
