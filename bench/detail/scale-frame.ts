// Lanczos scaling as ffmpeg's scaler does it, for frames in memory.

import type { Rgb24Frame, Size } from '../../companion-server/src/media/frame.ts';

const lobes = 3;

interface Tap {
  readonly place: number;
  readonly weight: number;
}

/** `frame` at another size; smaller ones are averaged over what falls into a pixel. */
export function scaleFrame(frame: Rgb24Frame, { width, height }: Size): Rgb24Frame {
  const columns = tapsOf(frame.width, width);
  const rows = tapsOf(frame.height, height);
  const narrow = new Float64Array(3 * width * frame.height);
  for (let i = 0; i < narrow.length; i++) {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / (3 * width))];
    for (const { place, weight } of columns[x] ?? []) {
      narrow[i] = (narrow[i] ?? 0) + weight * (frame.rgb[3 * (y * frame.width + place) + c] ?? 0);
    }
  }
  const rgb = new Uint8ClampedArray(3 * width * height);
  for (let i = 0; i < rgb.length; i++) {
    const y = Math.floor(i / (3 * width));
    let sum = 0;
    for (const { place, weight } of rows[y] ?? []) {
      sum += weight * (narrow[3 * width * place + (i % (3 * width))] ?? 0);
    }
    rgb[i] = sum;
  }
  return { index: frame.index, width, height, pixelFormat: 'rgb24', rgb: new Uint8Array(rgb.buffer) };
}

/** Per place of the result, what it is made of. */
function tapsOf(from: number, to: number): Tap[][] {
  const step = from / to;
  const stretch = Math.max(1, step);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * step - 0.5;
    const first = Math.ceil(centre - lobes * stretch);
    const last = Math.floor(centre + lobes * stretch);
    const raw = Array.from({ length: last - first + 1 }, (__, k) => ({
      place: Math.min(from - 1, Math.max(0, first + k)),
      weight: lanczos((first + k - centre) / stretch),
    }));
    const sum = raw.reduce((total, { weight }) => total + weight, 0);
    return raw.map(({ place, weight }) => ({ place, weight: weight / sum }));
  });
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= lobes) return 0;
  const angle = Math.PI * x;
  return (lobes * Math.sin(angle) * Math.sin(angle / lobes)) / (angle * angle);
}
