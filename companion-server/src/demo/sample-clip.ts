// Renders the clip that `npm run demo` edits, with what no camera can deliver: its exact motion.

import { throwIfCanceled } from '../errors.ts';
import { openEncoder } from '../media/encode.ts';
import type { Frame, Rational, Size } from '../media/frame.ts';
import type { Flow } from '../metrics/flow.ts';
import type { SourceMotion } from '../metrics/temporal.ts';
import { hash } from './noise.ts';
import { colourAt, follow, layerAt, momentAt, shadowAt, type Layer } from './scene.ts';

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

/** Largest change of the ball's shadow along the ground's motion that still counts as the same brightness. */
const maxShadowChange = 0.015;

/** Standard deviation of the grain and of the light, of 255 and of 1. */
const grainStrength = 7;
const lightStrength = 0.05;

/** Frame `index` of the clip. Equal options give equal bytes. */
export function renderSampleFrame(index: number, options: SampleOptions): Frame {
  const { width, height, hard } = options;
  const moment = momentAt(index, options);
  const gain = hard ? 1 + lightStrength * gaussian(index, 0, 71) : 1;
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const sum = [0, 0, 0];
    for (let point = 0; point < oversampling ** 2; point++) {
      const [px, py] = [point % oversampling, Math.floor(point / oversampling)];
      const { x, y } = toScene(
        (i % width) + (px + 0.5) / oversampling,
        Math.floor(i / width) + (py + 0.5) / oversampling,
        options,
      );
      const colour = colourAt(x, y, layerAt(x, y, moment, options), moment);
      colour.forEach((value, channel) => (sum[channel] = (sum[channel] ?? 0) + value));
    }
    const grain = hard ? grainStrength * gaussian(i, index, 61) : 0;
    sum.forEach((value, channel) => {
      rgb[3 * i + channel] = (255 * gain * value) / oversampling ** 2 + grain;
    });
  }
  return { index, width, height, rgb: new Uint8Array(rgb.buffer) };
}

/**
 * The exact motion from frame `index` to the next, and the ball's mask. A vector is known where the same surface is
 * seen, whole and equally lit, in both frames.
 */
export function sampleMotion(
  index: number,
  options: SampleOptions,
): SourceMotion & { object: Uint8Array } {
  const { width, height } = options;
  const plane = width * height;
  const [from, to] = [momentAt(index, options), momentAt(index + 1, options)];
  const flow: Flow = {
    width,
    height,
    vectors: { dims: [2, height, width], data: new Float32Array(2 * plane) },
    known: new Uint8Array(plane),
  };
  const object = new Uint8Array(plane);
  for (let i = 0; i < plane; i++) {
    const [px, py] = [i % width, Math.floor(i / width)];
    const here = toScene(px + 0.5, py + 0.5, options);
    const layer = layerAt(here.x, here.y, from, options);
    const there = follow(layer, here.x, here.y, from, to);
    const end = toPixels(there.x, there.y, options);
    flow.vectors.data[i] = end.x - px - 0.5;
    flow.vectors.data[plane + i] = end.y - py - 0.5;
    if (layer === 'ball') object[i] = 1;
    const isLitAlike =
      layer !== 'ground' ||
      Math.abs(shadowAt(here.x, here.y, from) - shadowAt(there.x, there.y, to)) < maxShadowChange;
    const isSeen =
      isWithin(layer, px, py, (x, y) => layerAt(x, y, from, options), options) &&
      isWithin(layer, end.x - 0.5, end.y - 0.5, (x, y) => layerAt(x, y, to, options), options);
    if (isLitAlike && isSeen) flow.known[i] = 1;
  }
  return { flow, object };
}

/** The motion of every pair of frames, one at a time. */
export function* sampleMotions(
  options: SampleOptions,
): Generator<SourceMotion & { object: Uint8Array }> {
  for (let index = 0; index + 1 < options.frames; index++) yield sampleMotion(index, options);
}

/** Renders the clip to `file` (.mp4 or .mov, H.264, nearly lossless). Throws as `openEncoder` does. */
export async function writeSampleClip(
  file: string,
  options: SampleOptions = defaultSample,
  signal?: AbortSignal,
): Promise<void> {
  const { width, height, frameRate } = options;
  const encoder = await openEncoder(file, {
    width,
    height,
    frameRate,
    codec: 'h264',
    crf: 8,
    signal,
  });
  try {
    for (let index = 0; index < options.frames; index++) {
      throwIfCanceled(signal);
      await encoder.write(renderSampleFrame(index, options));
    }
    await encoder.finish();
  } finally {
    await encoder.abort();
  }
}

/** Whether the pixel at (px, py) and the ones around it, inside the picture, all belong to `layer`. */
function isWithin(
  layer: Layer,
  px: number,
  py: number,
  layerOf: (x: number, y: number) => Layer,
  size: Size,
): boolean {
  if (px < 0 || py < 0 || px > size.width - 1 || py > size.height - 1) return false;
  return [-1, 0, 1].every((dy) =>
    [-1, 0, 1].every((dx) => {
      const { x, y } = toScene(px + 0.5 + 1.5 * dx, py + 0.5 + 1.5 * dy, size);
      return layerOf(x, y) === layer;
    }),
  );
}

/** Pixels -> scene units; the shorter edge spans -1..1. */
function toScene(x: number, y: number, { width, height }: Size): { x: number; y: number } {
  const half = Math.min(width, height) / 2;
  return { x: (x - width / 2) / half, y: (y - height / 2) / half };
}

function toPixels(x: number, y: number, { width, height }: Size): { x: number; y: number } {
  const half = Math.min(width, height) / 2;
  return { x: x * half + width / 2, y: y * half + height / 2 };
}

/** Nearly normal: the sum of four uniform numbers. */
function gaussian(a: number, b: number, seed: number): number {
  const sum = [0, 1, 2, 3].reduce((total, part) => total + hash(a, b, seed + part), 0);
  return (sum - 2) * Math.sqrt(3);
}
