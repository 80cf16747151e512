// What the server has found out about a clip that it was sent.

import type { FieldReader } from './fields.ts';
import { noticeLimits } from './limits.ts';

/** A fraction that is exact where a decimal is not: 30000/1001 frames per second. */
export interface Rational {
  readonly numerator: number;
  readonly denominator: number;
}

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

export interface AudioFacts {
  /** ffmpeg's name, for example `aac`. */
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
}

export interface MediaFacts {
  /** `frameCount / frameRate`. */
  readonly durationSeconds: number;
  /** Frames at the constant `frameRate`, at least 1. */
  readonly frameCount: number;
  /** Frames per second that the clip is read at. */
  readonly frameRate: Rational;
  /** The file's own rate varies. */
  readonly isVariableRate: boolean;
  /** In pixels, upright: what the result will have. */
  readonly size: PixelSize;
  /** Degrees clockwise that the stored picture is turned by: 0, 90, 180 or 270. */
  readonly rotationDegrees: number;
  /** ffmpeg's name, for example `yuv420p`. */
  readonly pixelFormat: string;
  readonly bitDepth: number;
  readonly isInterlaced: boolean;
  /** One per audio track. */
  readonly audio: readonly AudioFacts[];
  /** Sentences for the user about what will differ from the clip. */
  readonly notices: readonly string[];
}

const mediaKeys = [
  ...['durationSeconds', 'frameCount', 'frameRate', 'isVariableRate', 'size', 'rotationDegrees'],
  ...['pixelFormat', 'bitDepth', 'isInterlaced', 'audio', 'notices'],
];
const maxCount = Number.MAX_SAFE_INTEGER;
const maxAudioTracks = 64;

/** Reads the facts in the field `media`. Throws FieldError. */
export function readMediaFacts(fields: FieldReader): MediaFacts {
  const media = fields.object('media', mediaKeys);
  return {
    durationSeconds: media.number('durationSeconds', 0, Number.MAX_VALUE),
    frameCount: media.integer('frameCount', 1, maxCount),
    frameRate: readRational(media, 'frameRate'),
    isVariableRate: media.flag('isVariableRate'),
    size: readPixelSize(media, 'size'),
    rotationDegrees: media.integer('rotationDegrees', 0, 270),
    pixelFormat: media.text('pixelFormat', { max: 100 }),
    bitDepth: media.integer('bitDepth', 1, 64),
    isInterlaced: media.flag('isInterlaced'),
    audio: media.objects('audio', maxAudioTracks, ['codec', 'channels', 'sampleRate']).map((track) => ({
      codec: track.text('codec', { max: 100 }),
      channels: track.integer('channels', 0, maxCount),
      sampleRate: track.integer('sampleRate', 0, maxCount),
    })),
    notices: media.texts('notices', noticeLimits.count, noticeLimits.characters),
  };
}

export function readRational(fields: FieldReader, key: string): Rational {
  const rational = fields.object(key, ['numerator', 'denominator']);
  return {
    numerator: rational.integer('numerator', 1, maxCount),
    denominator: rational.integer('denominator', 1, maxCount),
  };
}

export function readPixelSize(fields: FieldReader, key: string): PixelSize {
  const size = fields.object(key, ['width', 'height']);
  return { width: size.integer('width', 1, maxCount), height: size.integer('height', 1, maxCount) };
}
