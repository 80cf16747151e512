// Reads the JSON that `ffprobe -show_streams -show_format` prints. Pure. Written for ffprobe 4 and later.

import type { AudioStream, ClipInfo, ColourTags } from './clip-info.ts';
import { dynamicHdrSideData } from '../decode/frame-rows.ts';
import { parseHdrMetadata, type SideData } from './hdr-metadata.ts';
import { parseRational, rationalValue, type Rational } from '../frame.ts';

export interface ProbeDocument {
  readonly streams?: readonly ProbeStream[];
  readonly chapters?: readonly unknown[];
  readonly format?: {
    readonly start_time?: string;
    readonly format_name?: string;
    readonly tags?: Readonly<Record<string, string | undefined>>;
  };
}

interface ProbeStream {
  readonly index: number;
  readonly codec_type?: string;
  readonly codec_name?: string;
  readonly codec_tag_string?: string;
  readonly closed_captions?: number;
  readonly width?: number;
  readonly height?: number;
  readonly sample_aspect_ratio?: string;
  readonly pix_fmt?: string;
  readonly bits_per_raw_sample?: string;
  readonly color_range?: string;
  readonly color_primaries?: string;
  readonly color_transfer?: string;
  readonly color_space?: string;
  readonly field_order?: string;
  readonly r_frame_rate?: string;
  readonly avg_frame_rate?: string;
  readonly channels?: number;
  readonly sample_rate?: string;
  readonly disposition?: { readonly attached_pic?: number };
  readonly tags?: Readonly<Record<string, string | undefined>>;
  readonly side_data_list?: readonly ({
    readonly rotation?: number | string;
    readonly side_data_type?: string;
  } & SideData)[];
}

/** The part of ClipInfo that is in the stream header. */
export interface VideoStream extends Pick<
  ClipInfo,
  | 'codedSize'
  | 'frameSize'
  | 'displaySize'
  | 'sampleAspect'
  | 'rotationDegrees'
  | 'colour'
  | 'pixelFormat'
  | 'bitDepth'
  | 'interlaced'
  | 'hasAlpha'
  | 'hdr'
  | 'streamIndex'
> {
  /** ffmpeg's name, or the file's own where ffmpeg has none. */
  readonly codec: string;
  /** This ffmpeg has a decoder for it. */
  readonly isDecodable: boolean;
  /** `interlaced` is what the header says; false here where it says nothing. */
  readonly isFieldOrderKnown: boolean;
  /** Rates that the file claims, most trusted first. Claims only: the times of the frames decide. */
  readonly declaredRates: readonly Rational[];
}

/** The first video stream that is no cover picture; null when there is none. */
export function parseVideo(document: ProbeDocument): VideoStream | null {
  const stream = document.streams?.find(
    ({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1,
  );
  if (stream === undefined) return null;
  const codedSize = { width: stream.width ?? 0, height: stream.height ?? 0 };
  const storedAspect = parseRational(stream.sample_aspect_ratio) ?? {
    numerator: 1,
    denominator: 1,
  };
  const rotationDegrees = parseRotation(stream);
  const isTurned = rotationDegrees % 180 !== 0;
  const frameSize = isTurned ? { width: codedSize.height, height: codedSize.width } : codedSize;
  const sampleAspect = isTurned
    ? { numerator: storedAspect.denominator, denominator: storedAspect.numerator }
    : storedAspect;
  const pixelFormat = stream.pix_fmt ?? 'unknown';
  return {
    codec: nameOf(stream),
    isDecodable: !['', 'unknown', 'none'].includes(stream.pix_fmt ?? ''),
    streamIndex: stream.index,
    codedSize,
    frameSize,
    displaySize: {
      width: Math.max(1, Math.round(frameSize.width * rationalValue(sampleAspect))),
      height: frameSize.height,
    },
    sampleAspect,
    rotationDegrees,
    colour: parseColour(stream),
    pixelFormat,
    bitDepth: parseBitDepth(stream, pixelFormat),
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(stream.field_order ?? ''),
    hasAlpha:
      /^(yuva|rgba|bgra|argb|abgr|gbrap|ya\d)/.test(pixelFormat) ||
      (stream.tags?.['alpha_mode'] ?? stream.tags?.['ALPHA_MODE']) === '1',
    hdr: parseHdrMetadata(stream.side_data_list ?? []),
    isFieldOrderKnown: !['', 'unknown'].includes(stream.field_order ?? ''),
    declaredRates: [stream.r_frame_rate, stream.avg_frame_rate].map(parseRational).filter((rate) => rate !== null),
  };
}

function nameOf({ codec_name: name = 'unknown', codec_tag_string: tag }: ProbeStream): string {
  return name === 'unknown' && tag !== undefined ? tag : name;
}

/** Parts of the file, besides picture and sound, that the result does not keep. */
export interface LeftOut {
  readonly videoTracks: number;
  readonly hasSubtitles: boolean;
  readonly hasChapters: boolean;
  /** Dolby Vision or HDR10+, which describe every scene. */
  readonly hasDynamicHdr: boolean;
}

export function parseLeftOut({ streams = [], chapters = [] }: ProbeDocument): LeftOut {
  const pictures = streams.filter(
    ({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1,
  );
  const [video] = pictures;
  const sideData = video?.side_data_list ?? [];
  return {
    videoTracks: pictures.length,
    hasSubtitles: streams.some(({ codec_type }) => codec_type === 'subtitle') || video?.closed_captions === 1,
    hasChapters: chapters.length > 1,
    hasDynamicHdr: sideData.some(({ side_data_type = '' }) => dynamicHdrSideData.test(side_data_type)),
  };
}

/** Containers in which a place is searched for, by the times of packets that need not be keyframes. */
const formatsWithoutIndex = ['mpegts', 'mpeg', 'dv', 'h264', 'hevc', 'm4v', 'mpegvideo'];

export function hasIndex({ format }: ProbeDocument): boolean {
  const names = format?.format_name?.split(',') ?? [];
  return !names.some((name) => formatsWithoutIndex.includes(name));
}

export function parseAudio(document: ProbeDocument): AudioStream[] {
  return (document.streams ?? [])
    .filter(({ codec_type }) => codec_type === 'audio')
    .map((stream) => ({
      codec: nameOf(stream),
      channels: stream.channels ?? 0,
      sampleRate: Number(stream.sample_rate ?? 0),
    }));
}

/** Degrees clockwise. The side data counts counter-clockwise, the old `rotate` tag clockwise. */
function parseRotation(stream: ProbeStream): number {
  const sideData = stream.side_data_list?.find(({ rotation }) => rotation !== undefined);
  const clockwise = sideData === undefined ? Number(stream.tags?.['rotate'] ?? 0) : -Number(sideData.rotation);
  const quarterTurns = Math.round((Number.isFinite(clockwise) ? clockwise : 0) / 90);
  return (((quarterTurns % 4) + 4) % 4) * 90;
}

function parseColour(stream: ProbeStream): ColourTags {
  const tag = (value: string | undefined) =>
    value === undefined || ['unknown', 'unspecified', 'reserved'].includes(value) ? null : value;
  const { color_range: range } = stream;
  return {
    range: range === 'tv' || range === 'pc' ? range : null,
    primaries: tag(stream.color_primaries),
    transfer: tag(stream.color_transfer),
    matrix: tag(stream.color_space),
  };
}

/** From the pixel format's name (`yuv422p10le`, `p010le`, `rgb48be`): the header's own field is often missing. */
function parseBitDepth(stream: ProbeStream, pixelFormat: string): number {
  const planar = /p0?(\d{1,2})(le|be)$/.exec(pixelFormat)?.[1];
  if (planar !== undefined) return Number(planar);
  if (/^(rgb|bgr)48|^(rgba|bgra)64|^gray16|^ya16/.test(pixelFormat)) return 16;
  return Number(stream.bits_per_raw_sample ?? 0) || 8;
}
