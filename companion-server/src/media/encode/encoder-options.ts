// What is encoded, and how.

import type { OutputCodec } from '../../../../protocol/codecs.ts';
import type { Frame, Rational, Size } from '../frame.ts';
import type { PlanarFrame, PlaneFormat } from '../planes.ts';
import type { ClipOrigin, ColourTags } from '../probe/clip-info.ts';
import type { HdrMetadata } from '../probe/hdr-metadata.ts';
import type { AudioSource } from './audio.ts';
import type { Provenance } from './provenance.ts';

export interface EncoderOptions extends Size {
  readonly frameRate: Rational;
  readonly codec: OutputCodec;
  /** The tags of the source; see `outputColour` for the few that a codec cannot carry. Default: none. */
  readonly colour?: ColourTags;
  /** Width of a pixel to its height. Default 1:1. */
  readonly sampleAspect?: Rational;
  /** Size of the frames that will be written, where it differs: they are scaled by Lanczos. */
  readonly inputSize?: Size;
  /** What these frames are. Default: rgb24. Planes are in the range and by the matrix of the clip. */
  readonly input?: EncoderInput;
  /** The range of planes; see `storedRange`. */
  readonly inputRange?: 'tv' | 'pc';
  /** The clip's own format, which decides the sampling and the bits of a lossless codec. */
  readonly clipFormat?: PlaneFormat;
  /** Where the sound comes from; null or left out for a silent result. */
  readonly audioFrom?: AudioSource | null;
  /** H.264's constant rate factor: 0 is lossless, 16 (the default) looks lossless. */
  readonly crf?: number;
  /** A small H.264 file to play and to step through: a keyframe in twelve frames, each of which refers to earlier ones only. */
  readonly isForPlayback?: boolean;
  /** What the file says of the clip that it shows. */
  readonly origin?: ClipOrigin | null;
  /** Written by H.265 alone. */
  readonly hdr?: HdrMetadata | null;
  /** That the picture was edited by AI, and by which. */
  readonly provenance?: Provenance | null;
  readonly signal?: AbortSignal | undefined;
}

/** `name` is ffmpeg's. */
export type EncoderInput = { readonly name: 'rgb24' | 'rgb48le' } | PlaneFormat;
export type EncoderFrame = Frame | PlanarFrame;

export const rgb24Input = { name: 'rgb24' } as const satisfies EncoderInput;
export const rgb48Input = { name: 'rgb48le' } as const satisfies EncoderInput;
