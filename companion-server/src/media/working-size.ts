// The size the model works at: the clip's picture scaled with its aspect kept, then padded to a size that the
// network accepts, and cropped back afterwards. Never squeezed. Pure.

import type { Rgb24Frame, Size } from './frame.ts';

export interface FitOptions {
  /** Width and height of the padded size are multiples of this: the VAE's factor times 2 per UNet level. */
  readonly multiple: number;
  /** How many pixels the model was trained on, for instance 512 * 512. Used when no size is requested. */
  readonly targetPixels: number;
}

export interface WorkingSize {
  /** What the clip is scaled to; the aspect of the clip to half a pixel in each direction. */
  readonly scaled: Size;
  /** What the model sees: `scaled` and a border. */
  readonly padded: Size;
  /** Where the picture begins inside the padded one. */
  readonly left: number;
  readonly top: number;
}

/**
 * Plans for a clip of `clip` pixels (square ones). `requested` is a box that the picture must fit into; null takes
 * the size with the clip's aspect and `targetPixels`. Throws RangeError for sizes that are no positive integers.
 */
export function planWorkingSize(
  clip: Size,
  requested: Size | null,
  { multiple, targetPixels }: FitOptions,
): WorkingSize {
  for (const value of [clip, requested ?? clip].flatMap(({ width, height }) => [width, height])) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`planWorkingSize: sizes must be positive integers, got ${value}.`);
    }
  }
  const scale =
    requested === null
      ? Math.sqrt(targetPixels / (clip.width * clip.height))
      : Math.min(requested.width / clip.width, requested.height / clip.height);
  const scaled = {
    width: Math.max(1, Math.round(clip.width * scale)),
    height: Math.max(1, Math.round(clip.height * scale)),
  };
  const padded = {
    width: Math.ceil(scaled.width / multiple) * multiple,
    height: Math.ceil(scaled.height / multiple) * multiple,
  };
  return {
    scaled,
    padded,
    left: (padded.width - scaled.width) >> 1,
    top: (padded.height - scaled.height) >> 1,
  };
}

/** `frame` at the scaled size -> a new frame at the padded size, its border a reflection of the picture. */
export function padFrame(frame: Rgb24Frame, { scaled, padded, left, top }: WorkingSize): Rgb24Frame {
  checkSize('padFrame', frame, scaled);
  const columns = Array.from({ length: padded.width }, (_, x) => reflect(x - left, scaled.width));
  const rgb = new Uint8Array(padded.width * padded.height * 3);
  let offset = 0;
  for (let y = 0; y < padded.height; y++) {
    const row = reflect(y - top, scaled.height) * scaled.width;
    for (const column of columns) {
      const from = (row + column) * 3;
      rgb.set(frame.rgb.subarray(from, from + 3), offset);
      offset += 3;
    }
  }
  return { index: frame.index, ...padded, pixelFormat: 'rgb24', rgb };
}

/** `frame` at the padded size -> a new frame at the scaled size. Undoes `padFrame`. */
export function cropFrame(frame: Rgb24Frame, { scaled, padded, left, top }: WorkingSize): Rgb24Frame {
  checkSize('cropFrame', frame, padded);
  const rgb = new Uint8Array(scaled.width * scaled.height * 3);
  for (let y = 0; y < scaled.height; y++) {
    const from = ((y + top) * padded.width + left) * 3;
    rgb.set(frame.rgb.subarray(from, from + scaled.width * 3), y * scaled.width * 3);
  }
  return { index: frame.index, ...scaled, pixelFormat: 'rgb24', rgb };
}

/** The place in 0..length-1 that mirrors at both ends lead to from `i`. */
function reflect(i: number, length: number): number {
  const period = Math.max(1, 2 * (length - 1));
  const phase = ((i % period) + period) % period;
  return phase < length ? phase : period - phase;
}

function checkSize(caller: string, frame: Rgb24Frame, { width, height }: Size): void {
  if (frame.width === width && frame.height === height) return;
  throw new RangeError(`${caller}: the frame must be ${width} x ${height}, got ${frame.width} x ${frame.height}.`);
}
