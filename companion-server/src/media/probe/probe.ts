// Probes a clip: its pictures, frame rate and colours, and how many frames there really are.

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { EditError } from '../../errors.ts';
import { answerInTime } from '../../files/answer-in-time.ts';
import type { ClipInfo } from './clip-info.ts';
import { kindOfFile } from './file-kind.ts';
import { rationalValue, type Rational, type Size } from '../frame.ts';
import { planRate } from './frame-times.ts';
import { maxPixels } from '../ffmpeg/input-guard.ts';
import { readHdrMetadata } from './hdr-metadata.ts';
import { noticesOf } from './notices.ts';
import { parseOrigin } from './origin.ts';
import { runFfprobe } from '../ffmpeg/ffprobe.ts';
import { readFrameTimes } from './read-frame-times.ts';
import {
  hasIndex,
  parseAudio,
  parseLeftOut,
  parseVideo,
  type ProbeDocument,
  type VideoStream,
} from './probe-document.ts';

const showStreams = ['-show_streams', '-show_format', '-show_chapters', '-of', 'json'];

/**
 * How long the header may take, and how long the list of frames may bring nothing: in a file of much sound and few pictures,
 * on a slow disk, that is as long as reading the file.
 */
const headerTimeoutMs = 30_000;
const listBytesPerSecond = 20e6;

/** Most characters that are read about the streams. A clip with a hundred streams has some 100,000. */
const maxHeaderCharacters = 4 * 1024 * 1024;

/**
 * Reads all facts about the clip `file`, without its pictures. Throws EditError `clip-missing`, `clip-empty`,
 * `clip-unreadable` (not a video, damaged, cut off), `ffmpeg-missing`; CanceledError.
 */
export async function probeClip(file: string, signal?: AbortSignal): Promise<ClipInfo> {
  const clipPath = path.resolve(file);
  const sizeBytes = await requireFile(clipPath);
  const document = await readHeader(clipPath, signal).catch(async (error: unknown) => {
    throw (await noClip(clipPath)) ?? error;
  });
  const video = parseVideo(document);
  if (video === null) throw (await noClip(clipPath)) ?? noPicture(clipPath, document);
  if (!video.isDecodable) throw noDecoder(clipPath, video);
  requireReadableSize(clipPath, video);
  const silenceMs = headerTimeoutMs + (sizeBytes / listBytesPerSecond) * 1000;
  const listing = await readFrameTimes(clipPath, video, { silenceMs, signal });
  if (listing.count === 0) {
    throw new EditError('clip-empty', `"${clipPath}" has a video track without a single frame.`, {
      hint: 'Export the clip again.',
    });
  }
  const plan =
    listing.times === null
      ? { ...declaredRate(video), frameCount: listing.count }
      : planRate(listing.times, video.declaredRates, listing.lastDurationSeconds);
  const clip: Omit<ClipInfo, 'notices'> = {
    path: clipPath,
    ...plan,
    durationSeconds: plan.frameCount / rationalValue(plan.frameRate),
    codedSize: video.codedSize,
    frameSize: video.frameSize,
    displaySize: video.displaySize,
    sampleAspect: video.sampleAspect,
    rotationDegrees: video.rotationDegrees,
    colour: video.colour,
    pixelFormat: video.pixelFormat,
    bitDepth: video.bitDepth,
    interlaced: listing.isInterlaced,
    hasAlpha: video.hasAlpha,
    origin: parseOrigin(document, video.streamIndex),
    hdr:
      video.hdr ??
      (listing.hasHdrMetadata ? await readHdrMetadata(clipPath, video.streamIndex, { silenceMs, signal }) : null),
    audio: parseAudio(document),
    frameTimes: listing.times,
    keyframeTimes: listing.keyframeTimes,
    isIndexed: hasIndex(document),
    fileStartSeconds: Number(document.format?.start_time ?? 0) || 0,
    streamIndex: video.streamIndex,
  };
  const leftOut = parseLeftOut(document);
  const hasDynamicHdr = leftOut.hasDynamicHdr || listing.hasDynamicHdr;
  return { ...clip, notices: noticesOf(clip, { ...leftOut, hasDynamicHdr }) };
}

async function readHeader(file: string, signal: AbortSignal | undefined): Promise<ProbeDocument> {
  let json = '';
  const onOutput = (text: string): void => {
    json += text;
    if (json.length <= maxHeaderCharacters) return;
    throw new EditError('clip-unreadable', `"${file}" has too many streams.`);
  };
  await runFfprobe(file, showStreams, { onOutput, silenceMs: headerTimeoutMs, signal });
  return JSON.parse(json) as ProbeDocument;
}

function requireReadableSize(file: string, { codedSize, displaySize }: VideoStream): void {
  const { width, height } = codedSize;
  const isReadable = ({ width, height }: Size) => width * height > 0 && width * height <= maxPixels;
  if (isReadable(codedSize) && isReadable(displaySize)) return;
  throw new EditError(
    'clip-unreadable',
    `"${file}" says that its pictures are ${width} x ${height}; between 1 and ${maxPixels} pixels are read.`,
    { hint: 'Export the clip again in an ordinary size.' },
  );
}

/** Returns its size in bytes. */
async function requireFile(file: string): Promise<number> {
  const found = await answerInTime(stat(file), file).catch((error: unknown) => {
    if (error instanceof EditError) throw error;
    throw new EditError('clip-missing', `There is no clip at "${file}".`, {
      hint: 'Check the path, and that the disk is connected.',
      cause: error,
    });
  });
  if (!found.isFile()) {
    throw new EditError('clip-unreadable', `"${file}" is not a file.`, {
      hint: 'Name a video file, for instance a .mp4 or a .mov.',
    });
  }
  if (found.size === 0) {
    throw new EditError('clip-empty', `"${file}" is empty (0 bytes).`, {
      hint: 'Copy or export the clip again.',
    });
  }
  return found.size;
}

/** For a file that is something else; null for one that may be a clip. */
async function noClip(file: string): Promise<EditError | null> {
  switch (await kindOfFile(file)) {
    case 'playlist':
      return new EditError('clip-unreadable', `"${file}" is a playlist, not a clip.`, {
        hint: 'Choose the video file that it leads to.',
      });
    case 'picture':
      return new EditError('clip-unreadable', `"${file}" is a picture, not a clip.`, {
        hint: 'Choose a video file, for instance a .mp4 or a .mov.',
      });
    case null:
      return null;
  }
}

function noDecoder(file: string, { codec }: VideoStream): EditError {
  return new EditError('clip-unreadable', `"${file}" cannot be read: this FFmpeg cannot decode its codec (${codec}).`, {
    hint: 'Install a current FFmpeg (https://ffmpeg.org/download.html), or convert the clip to H.264 or ProRes.',
  });
}

function noPicture(file: string, document: ProbeDocument): EditError {
  const hasSound = parseAudio(document).length > 0;
  return new EditError(
    'clip-empty',
    hasSound ? `"${file}" has sound but no picture.` : `"${file}" has no video track.`,
    { hint: 'Choose a clip with a video track.' },
  );
}

function declaredRate(video: VideoStream): { frameRate: Rational; variableRate: boolean } {
  const frameRate = video.declaredRates[0] ?? { numerator: 25, denominator: 1 };
  return { frameRate, variableRate: false };
}
