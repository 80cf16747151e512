// The facts about a clip before its pictures are read. Plain data: it survives structured cloning.

import type { Rational, Size } from '../frame.ts';
import type { HdrMetadata } from './hdr-metadata.ts';

/** ffmpeg's names, as tagged in the file; null where the file does not say. */
export interface ColourTags {
  readonly range: 'tv' | 'pc' | null;
  readonly primaries: string | null;
  readonly transfer: string | null;
  readonly matrix: string | null;
}

/**
 * How pictures of high dynamic range are shown in standard range, by the transfer function of Rec. ITU-R BT.2100 that they
 * are coded with; see tone-mapping.ts.
 */
export type ToneMapping = 'pq' | 'hlg';

export interface AudioStream {
  /** ffmpeg's codec name, for instance `aac` or `pcm_s24le`. */
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
}

/** Null where the file does not say. Texts are without control characters, and of limited length. */
export interface ClipOrigin {
  /** The address of the first frame, as written, for instance `01:00:00:00`. */
  readonly timecode: string | null;
  /** The tape, card or camera roll. */
  readonly reel: string | null;
  /** When it was recorded; ISO 8601. */
  readonly createdAt: string | null;
  readonly title: string | null;
  /** ISO 6709, for instance `+48.1000+011.5000/`. */
  readonly location: string | null;
}

export interface ClipInfo {
  /** Absolute. */
  readonly path: string;
  /** Frames at the constant `frameRate`; exact, counted in the file. At least 1. */
  readonly frameCount: number;
  readonly frameRate: Rational;
  /** frameCount / frameRate. */
  readonly durationSeconds: number;
  /** The file's own rate varies; `frameRate` is the constant one that it is read at. */
  readonly variableRate: boolean;
  /** As stored, before rotation. */
  readonly codedSize: Size;
  /** As stored, turned upright: what the edited clip has. */
  readonly frameSize: Size;
  /** Upright and with square pixels: what a viewer sees. */
  readonly displaySize: Size;
  /** Width of a pixel to its height, upright. */
  readonly sampleAspect: Rational;
  /** Degrees clockwise that the stored picture is turned by for display: 0, 90, 180 or 270. */
  readonly rotationDegrees: number;
  readonly colour: ColourTags;
  /** How `decodeFrames` shows the clip's pictures; as they are stored when left out. */
  readonly toneMapping?: ToneMapping;
  /** ffmpeg's name, for instance `yuv420p` or `yuv422p10le`. */
  readonly pixelFormat: string;
  readonly bitDepth: number;
  readonly interlaced: boolean;
  /** Its pictures, or a layer of the file that ffmpeg may not decode, have transparency. */
  readonly hasAlpha: boolean;
  readonly origin: ClipOrigin;
  /** Null without. */
  readonly hdr: HdrMetadata | null;
  readonly audio: readonly AudioStream[];
  /** When each stored frame is shown, rising, in seconds of the file's clock; null where the file does not say. */
  readonly frameTimes: Float64Array | null;
  /** Those of `frameTimes` at which decoding can begin, rising; empty if none are known. */
  readonly keyframeTimes: Float64Array;
  /** The container has an index of its keyframes. Without one, a search ends only near the requested time. */
  readonly isIndexed: boolean;
  /** Where the file's clock starts: earliest stream, in seconds. */
  readonly fileStartSeconds: number;
  /** Index of the video stream among all streams of the file. */
  readonly streamIndex: number;
  /** Sentences for the user about what will differ from the source. */
  readonly notices: readonly string[];
}
