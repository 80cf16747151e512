// The facts that the server has found about a clip.

import { count, flag, integer, list, number, object, text, type Infer } from './fields.ts';
import { noticeLimits } from './limits.ts';

const positive = integer(1, Number.MAX_SAFE_INTEGER);

/** A fraction that is exact where a decimal is not: 30000/1001 frames per second. */
export const rational = object({ numerator: positive, denominator: positive });
export type Rational = Infer<typeof rational>;

export const pixelSize = object({ width: positive, height: positive });
export type PixelSize = Infer<typeof pixelSize>;

/** Sentences for the user. */
export const notices = list(text({ max: noticeLimits.characters }), noticeLimits.count, 'texts');

const audioFacts = object({
  /** ffmpeg's name, for example `aac`. */
  codec: text({ max: 100 }),
  channels: count,
  sampleRate: count,
});
export type AudioFacts = Infer<typeof audioFacts>;

const maxAudioTracks = 64;

export const mediaFacts = object({
  /** `frameCount / frameRate`. */
  durationSeconds: number(0, Number.MAX_VALUE),
  /** Frames at the constant `frameRate`, at least 1. */
  frameCount: positive,
  /** Frames per second that the clip is read at. */
  frameRate: rational,
  /** The file's own rate varies. */
  isVariableRate: flag,
  /** In pixels, upright: what the result will have. */
  size: pixelSize,
  /** Degrees clockwise that the stored picture is turned by: 0, 90, 180 or 270. */
  rotationDegrees: integer(0, 270),
  /** ffmpeg's name, for example `yuv420p`. */
  pixelFormat: text({ max: 100 }),
  bitDepth: integer(1, 64),
  isInterlaced: flag,
  /** One per audio track. */
  audio: list(audioFacts, maxAudioTracks),
  /** About differences between result and clip. */
  notices,
});
export type MediaFacts = Infer<typeof mediaFacts>;
