// The arguments with which ffmpeg turns raw frames into the picture of a result. Pure.

import type { OutputCodec } from '../../../../protocol/codecs.ts';
import { colourCode, outputColour, scaleMatrix } from '../colour.ts';
import type { Size } from '../frame.ts';
import { gbrFormat, yuvFormat, type PlaneFormat } from '../planes.ts';
import type { ColourTags } from '../probe/clip-info.ts';
import type { Container } from './audio.ts';
import { hdrParameters } from './metadata-options.ts';
import type { EncoderInput, EncoderOptions } from './encoder-options.ts';

const noColour: ColourTags = { range: null, primaries: null, transfer: null, matrix: null };

/** Options of the input that brings the frames. */
export function rawVideo({ width, height }: Size, { frameRate, input }: EncoderOptions): string[] {
  return [
    ...['-f', 'rawvideo', '-pixel_format', input?.name ?? 'rgb24', '-video_size', `${width}x${height}`],
    ...['-framerate', `${frameRate.numerator}/${frameRate.denominator}`],
  ];
}

export function videoOptions(options: EncoderOptions, container: Container): string[] {
  const { width, height, codec, frameRate, input, inputRange } = options;
  const source = options.colour ?? noColour;
  const format = pixelFormatOf(codec, options);
  // RGB has no video range here, and no matrix.
  const isRgb = /^(gbr|bgr)/.test(format);
  const colour = isRgb
    ? { ...source, range: 'pc', matrix: 'gbr' }
    : outputColour(source, options, keepsFullRange(codec));
  const aspect = options.sampleAspect ?? { numerator: 1, denominator: 1 };
  const isYcbcr = isPlanar(input) && input.components === 'ycbcr';
  const filter = [
    `scale=${width}:${height}:flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp`,
    // Luma and chroma stay by their own matrix.
    ...(isYcbcr || isRgb ? [] : [`out_color_matrix=${scaleMatrix(source, options)}`]),
    `in_range=${isYcbcr ? (inputRange ?? 'tv') : 'pc'}:out_range=${colour.range}`,
  ].join(':');
  // Twice: H.264 and the container take the options, ProRes writes what the frames themselves say.
  const tags: [string, string, string | number | null][] = [
    ['-color_range', 'range', colour.range],
    ['-color_primaries', 'color_primaries', colourCode('primaries', colour.primaries)],
    ['-color_trc', 'color_trc', colourCode('transfer', colour.transfer)],
    ['-colorspace', 'colorspace', colour.matrix === 'gbr' ? 0 : colour.matrix],
  ];
  const frameTags = tags.map(([, name, value]) => `${name}=${value ?? 'unknown'}`).join(':');
  return [
    ...['-vf', `${filter},format=${format},setsar=${aspect.numerator}/${aspect.denominator},setparams=${frameTags}`],
    ...['-r', `${frameRate.numerator}/${frameRate.denominator}`],
    ...codecOptions(options),
    // With the plus, an encoder that does not have the format fails; without, ffmpeg takes another, of fewer bits.
    ...['-pix_fmt', `+${format}`],
    ...tags.flatMap(([option, , value]) => (value === null ? [] : [option, String(value)])),
    ...(container === 'matroska' ? [] : ['-movflags', '+faststart+write_colr']),
    ...['-f', container],
  ];
}

function isPlanar(input: EncoderInput | undefined): input is PlaneFormat {
  return input !== undefined && 'components' in input;
}

/** ProRes and DNxHR are video range by definition here: Premiere takes them for that. */
function keepsFullRange(codec: OutputCodec): boolean {
  return codec === 'h264' || codec === 'h265' || codec === 'ffv1';
}

/** At most so many frames are decoded to show one that a player jumps to. */
const playbackKeyframeInterval = 12;

/** Without the pixel format. */
function codecOptions({ codec, width, crf, isForPlayback = false, input, clipFormat, hdr }: EncoderOptions): string[] {
  switch (codec) {
    case 'prores-lt':
    case 'prores-422':
    case 'prores':
    case 'prores-4444':
    case 'prores-xq': {
      const hasAlpha = isPlanar(input) && input.hasAlpha && proresProfiles[codec] >= 4;
      const profile = width % 2 === 0 ? proresProfiles[codec] : Math.max(4, proresProfiles[codec]);
      // Apple's vendor code makes editors take the fast path.
      const common = ['-c:v', 'prores_ks', '-profile:v', String(profile), '-vendor', 'apl0'];
      return hasAlpha ? [...common, '-alpha_bits', '16'] : common;
    }
    case 'dnxhr-hqx':
      return ['-c:v', 'dnxhd', '-profile:v', 'dnxhr_hqx'];
    case 'dnxhr-444':
      return ['-c:v', 'dnxhd', '-profile:v', 'dnxhr_444'];
    case 'h264': {
      const seekable = ['-g', String(playbackKeyframeInterval), '-bf', '0'];
      return [
        ...['-c:v', 'libx264', '-preset', isForPlayback ? 'veryfast' : 'medium', '-crf', String(crf ?? 16)],
        ...(isForPlayback ? seekable : []),
      ];
    }
    case 'h265':
      // QuickTime and Premiere open it under this tag only.
      return [
        '-c:v',
        'libx265',
        '-preset',
        'medium',
        '-crf',
        String(crf ?? 14),
        '-tag:v',
        'hvc1',
        '-x265-params',
        ['log-level=error', ...hdrParameters(hdr ?? null)].join(':'),
      ];
    case 'ffv1':
      return [
        '-c:v',
        'ffv1',
        '-level',
        '3',
        '-g',
        '1',
        '-slices',
        String(slicesOf(losslessFormat(input, clipFormat))),
        '-slicecrc',
        '1',
      ];
  }
}

/** ffmpeg's encoder spoils the last column of quartered chroma where it cuts a picture into slices. */
const slicesOf = ({ chromaShift }: PlaneFormat): number => (chromaShift.x === 2 ? 1 : 4);

/** ffmpeg's numbers. */
const proresProfiles = { 'prores-lt': 1, 'prores-422': 2, prores: 3, 'prores-4444': 4, 'prores-xq': 5 } as const;

/** ffmpeg's name of what the encoder is given. */
function pixelFormatOf(codec: OutputCodec, { width, height, input, clipFormat }: EncoderOptions): string {
  const isEven = width % 2 === 0 && height % 2 === 0;
  switch (codec) {
    case 'prores-lt':
    case 'prores-422':
    case 'prores':
      // ffmpeg's encoder spoils the last columns of an odd width in 4:2:2.
      return width % 2 === 0 ? 'yuv422p10le' : 'yuv444p10le';
    case 'prores-4444':
    case 'prores-xq':
      return isPlanar(input) && input.hasAlpha ? 'yuva444p10le' : 'yuv444p10le';
    case 'dnxhr-hqx':
      return 'yuv422p10le';
    case 'dnxhr-444':
      return 'yuv444p10le';
    case 'h264':
      return isEven ? 'yuv420p' : 'yuv444p';
    case 'h265':
      return isEven ? 'yuv420p10le' : 'yuv444p10le';
    case 'ffv1':
      return packedRgb[losslessFormat(input, clipFormat).name] ?? losslessFormat(input, clipFormat).name;
  }
}

/** What FFV1 has in place of planes of 8 bits. */
const packedRgb: Readonly<Record<string, string>> = { gbrp: 'bgr0', gbrap: 'bgra' };

/** FFV1 has no twelve bits with alpha. */
function withAlphaOf16({ components, chromaShift: { x, y } }: PlaneFormat): PlaneFormat {
  return components === 'gbr' ? gbrFormat(16, true) : yuvFormat(x === 0 ? '444' : y === 0 ? '422' : '420', 16, true);
}

/** Planes as they are; frames that were computed in the clip's sampling, with 10 bits at least. */
function losslessFormat(input: EncoderInput | undefined, clipFormat: PlaneFormat | undefined): PlaneFormat {
  if (isPlanar(input)) return input.hasAlpha && input.bits === 12 ? withAlphaOf16(input) : input;
  const bits = Math.max(10, clipFormat?.bits ?? 10);
  if (clipFormat?.components === 'gbr') return gbrFormat(bits);
  const { x, y } = clipFormat?.chromaShift ?? { x: 0, y: 0 };
  return yuvFormat(x === 1 && y === 1 ? '420' : x === 1 ? '422' : '444', bits);
}
