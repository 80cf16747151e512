// The pictures of a clip of any size and length, whose motion is known: benches and tests edit it.

import type { Rgb24Frame, Rational, Size } from '../media/frame.ts';
import { hash } from './noise.ts';
import { colourAt, layerAt, momentAt } from './scene.ts';

export interface SampleOptions extends Size {
  readonly frames: number;
  readonly frameRate: Rational;
  /** Fast motion, something in front of the ball, film grain and flickering light. */
  readonly hard: boolean;
}

export const defaultSample: SampleOptions = {
  width: 128,
  height: 128,
  frames: 24,
  frameRate: { numerator: 12, denominator: 1 },
  hard: false,
};

/** What the clip shows, in the words of the embedded model. */
export const sampleSourcePrompt = 'a red ball on grass';

/** Points per pixel edge: edges come out smooth. */
const oversampling = 3;

/** Standard deviation of the grain (of 255) and of the light (of 1). */
const grainStrength = 7;
const lightStrength = 0.05;

/** Frame `index` of the clip. Equal options give equal bytes. */
export function renderSampleFrame(index: number, options: SampleOptions): Rgb24Frame {
  const { width, height, hard } = options;
  const moment = momentAt(index, options);
  const light = hard ? 1 + lightStrength * gaussian(index, 0, 71) : 1;
  const scale = (255 * light) / oversampling ** 2;
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let point = 0; point < oversampling ** 2; point++) {
      const px = (i % width) + ((point % oversampling) + 0.5) / oversampling;
      const py = Math.floor(i / width) + (Math.floor(point / oversampling) + 0.5) / oversampling;
      const { x, y } = toScene(px, py, options);
      const colour = colourAt(x, y, layerAt(x, y, moment, options), moment);
      red += colour[0];
      green += colour[1];
      blue += colour[2];
    }
    const grain = hard ? grainStrength * gaussian(i, index, 61) : 0;
    rgb[3 * i] = red * scale + grain;
    rgb[3 * i + 1] = green * scale + grain;
    rgb[3 * i + 2] = blue * scale + grain;
  }
  return { index, width, height, pixelFormat: 'rgb24', rgb: new Uint8Array(rgb.buffer) };
}

/** Pixels -> scene units; the shorter edge spans -1..1. */
export function toScene(x: number, y: number, { width, height }: Size): { x: number; y: number } {
  const half = Math.min(width, height) / 2;
  return { x: (x - width / 2) / half, y: (y - height / 2) / half };
}

/** Undoes `toScene`. */
export function toPixels(x: number, y: number, { width, height }: Size): { x: number; y: number } {
  const half = Math.min(width, height) / 2;
  return { x: x * half + width / 2, y: y * half + height / 2 };
}

/** Nearly normal: the sum of four uniform numbers. */
function gaussian(a: number, b: number, seed: number): number {
  const sum = hash(a, b, seed) + hash(a, b, seed + 1) + hash(a, b, seed + 2) + hash(a, b, seed + 3);
  return (sum - 2) * Math.sqrt(3);
}
