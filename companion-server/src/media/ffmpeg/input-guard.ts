// A clip is untrusted data. These options keep ffmpeg from opening anything else: local files only, no playlists
// or lists of files (HLS, DASH, concat), no image sequences, no devices, no pictures of absurd size.

import os from 'node:os';
import path from 'node:path';

/** Largest picture that is decoded: 16384 x 8192, twice 8K DCI in each direction. */
export const maxPixels = 16_384 * 8_192;

/** Demuxers that hold one clip in one file. The names are ffmpeg's. */
const formats = [
  'mov',
  'matroska',
  'avi',
  'mpegts',
  'mpeg',
  'mxf',
  'asf',
  'flv',
  'ogg',
  'nut',
  'gxf',
  'dv',
  'h264',
  'hevc',
  'm4v',
  'mpegvideo',
  'ivf',
  'yuv4mpegpipe',
  'gif',
].join(',');

/** Options to put before `-i` for a clip; also understood by ffprobe. */
export const guardedInputOptions: readonly string[] = [
  ...['-protocol_whitelist', 'file'],
  ...['-format_whitelist', formats],
];

/** A decoder's threads each hold pictures of their own. */
const maxDecoderThreads = 4;

/** The same with bounds for the decoder, where pictures are decoded. */
export const guardedDecodeOptions: readonly string[] = [
  ...guardedInputOptions,
  ...['-max_pixels', String(maxPixels)],
  ...['-threads', String(Math.min(maxDecoderThreads, os.availableParallelism()))],
];

/** The name to give ffmpeg: `file:` and an absolute path, so that no file name can pass for a URL or an option. */
export function fileUrl(file: string): string {
  return `file:${path.resolve(file)}`;
}
