// When each frame of a clip is shown. The container's own frame count is not trusted. Packets are listed, which needs no
// decoding, and the first of them are decoded: where what comes out is what was listed, the list holds. Where it is not, or
// where packets may be less than a frame, all pictures are decoded and counted.

import { EditError } from '../../errors.ts';
import { runFfprobe } from '../ffmpeg/ffprobe.ts';
import { FrameRows, frameEntries, packetEntries, type FrameRow } from '../decode/frame-rows.ts';
import type { VideoStream } from './probe-document.ts';

export interface FrameListing {
  readonly count: number;
  /** Seconds, rising; null when the file gives no usable times. */
  readonly times: Float64Array | null;
  /** The times among them at which decoding can begin, rising. Empty when none are known. */
  readonly keyframeTimes: Float64Array;
  /** How long the last frame is shown, or null when the file does not say. */
  readonly lastDurationSeconds: number | null;
  /** What the header says of fields or, where it says nothing or fields are packets, what decoded frames say. */
  readonly isInterlaced: boolean;
  /** Whether decoded frames carry the description of an HDR display or of its light. */
  readonly hasHdrMetadata: boolean;
  /** Whether they carry such a description of each scene. */
  readonly hasDynamicHdr: boolean;
}

export interface ListingOptions {
  /** How long there may be no new output. The whole has no limit: an hour of AV1 takes long to decode. */
  readonly silenceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Codecs with packets that show no picture (hidden reference frames). */
const codecsWithHiddenPackets = ['vp8', 'vp9', 'av1'];

/** Codecs with packets of one field each. */
const codecsWithFieldPackets = ['h264'];

/** Packets that are decoded to see whether they are what is shown, from the first one on at which decoding can begin. */
const headPackets = 24;

/** Most of the first frames that may be damaged, as a share of them. */
const maxMissingShare = 0.25;

/** Two times this close are the same; containers round to a millisecond. */
const sameTimeSeconds = 0.002;

/** Throws EditError `clip-unreadable` when the file is cut off or no picture can be decoded; CanceledError. */
export async function readFrameTimes(file: string, video: VideoStream, options: ListingOptions): Promise<FrameListing> {
  const packets = await listPackets(file, video, options);
  if (packets.length === 0) return toListing([], [], video.interlaced);
  if (packets[0]?.isEncrypted === true) throw isProtected(file);
  const hasFields = (rows: readonly FrameRow[]) => rows.some(({ isInterlaced }) => isInterlaced);
  const head = await decodeRows(file, video, options, headLength(packets));
  const shown = shownPackets(packets, head, video.codec);
  if (shown !== null) {
    return toListing(shown, head, video.isFieldOrderKnown ? video.interlaced : hasFields(head));
  }
  const frames = await decodeRows(file, video, options, null);
  if (frames.length === 0) throw undecodable(file, video.codec, packets.length);
  return toListing(frames, frames, video.interlaced || hasFields(frames));
}

async function listPackets(file: string, video: VideoStream, options: ListingOptions): Promise<readonly FrameRow[]> {
  const rows = new FrameRows(file);
  const complaints = await runFfprobe(file, [...selecting(video), '-show_entries', packetEntries], {
    ...options,
    onOutput: (text) => rows.add(text),
  });
  if (/partial file|file truncated|moov atom not found/i.test(complaints)) throw cutOff(file);
  return rows.finish();
}

/** The frames that come out of the first `packetCount` packets, or of all of them (null). */
async function decodeRows(
  file: string,
  video: VideoStream,
  options: ListingOptions,
  packetCount: number | null,
): Promise<readonly FrameRow[]> {
  const rows = new FrameRows(file);
  const interval = packetCount === null ? [] : ['-read_intervals', `%+#${packetCount}`];
  const entries = [...interval, '-show_frames', '-show_entries', frameEntries];
  await runFfprobe(file, [...selecting(video), ...entries], {
    ...options,
    onOutput: (text) => rows.add(text),
  });
  return rows.finish();
}

function selecting({ streamIndex }: VideoStream): string[] {
  return ['-select_streams', String(streamIndex), '-of', 'compact=p=0'];
}

function headLength(packets: readonly FrameRow[]): number {
  return (
    Math.max(
      0,
      packets.findIndex(({ isKey }) => isKey),
    ) + headPackets
  );
}

/**
 * The packets of the frames that are shown; null where packets do not tell them. A clip that was cut out of a longer one
 * begins with packets that nothing can be made of: they are left out.
 */
function shownPackets(
  packets: readonly FrameRow[],
  head: readonly FrameRow[],
  codec: string,
): readonly FrameRow[] | null {
  const origin = Math.min(...head.map(({ time }) => time)) - sameTimeSeconds;
  const isShown = ({ time, isDiscarded }: FrameRow): boolean => !isDiscarded && time >= origin;
  if (!Number.isFinite(origin) || packets.some(({ time }) => Number.isNaN(time))) return null;
  const promised = sorted(packets.slice(0, headLength(packets)).filter(isShown));
  const decoded = sorted(head);
  const missing = missingOf(promised, decoded);
  const mayMiss = codecsWithHiddenPackets.includes(codec) ? 0 : maxMissingShare * promised.length;
  if (missing === null || missing > mayMiss) return null;
  const shown = packets.filter(isShown);
  const steps = stepsOf(shown);
  if (codecsWithHiddenPackets.includes(codec) && hasHiddenPackets(steps)) return null;
  if (codecsWithFieldPackets.includes(codec) && hasFieldPackets(steps, head)) return null;
  return shown;
}

/** How many of the `promised` frames did not come; null if a frame came that was not promised. */
function missingOf(promised: readonly FrameRow[], decoded: readonly FrameRow[]): number | null {
  let next = 0;
  for (const { time } of promised) {
    if (Math.abs(time - (decoded[next]?.time ?? NaN)) < sameTimeSeconds) next++;
  }
  return next === decoded.length ? promised.length - decoded.length : null;
}

/** A hidden frame is stored just behind the frame before it. */
function hasHiddenPackets(steps: Float64Array): boolean {
  const usual = median(steps);
  return steps.some((step) => step < usual / 4);
}

/** The second field of a frame is shown half a frame after the first, so that a step is half of those of whole frames. */
function hasFieldPackets(steps: Float64Array, head: readonly FrameRow[]): boolean {
  const wholeFrame = Math.min(...stepsOf(head));
  return steps.some((step) => step < 0.6 * wholeFrame);
}

function sorted(rows: readonly FrameRow[]): FrameRow[] {
  return [...rows].sort((a, b) => a.time - b.time);
}

function stepsOf(rows: readonly FrameRow[]): Float64Array {
  const times = Float64Array.from(rows, ({ time }) => time).sort();
  return times.subarray(1).map((time, i) => time - (times[i] ?? 0));
}

function median(values: Float64Array): number {
  return values.slice().sort()[values.length >> 1] ?? Number.NaN;
}

function toListing(rows: readonly FrameRow[], decoded: readonly FrameRow[], isInterlaced: boolean): FrameListing {
  const inOrder = sorted(rows);
  const times = Float64Array.from(inOrder, ({ time }) => time);
  const isRising = times.every((time, i) => Number.isFinite(time) && (i === 0 || time > (times[i - 1] ?? NaN)));
  const lastDuration = inOrder.at(-1)?.duration ?? Number.NaN;
  return {
    count: rows.length,
    times: isRising ? times : null,
    keyframeTimes: isRising
      ? Float64Array.from(inOrder.filter(({ isKey }) => isKey).map(({ time }) => time))
      : new Float64Array(),
    lastDurationSeconds: lastDuration > 0 ? lastDuration : null,
    isInterlaced,
    hasHdrMetadata: decoded.some(({ hasHdrMetadata }) => hasHdrMetadata),
    hasDynamicHdr: decoded.some(({ hasDynamicHdr }) => hasDynamicHdr),
  };
}

function cutOff(file: string): EditError {
  return new EditError('clip-unreadable', `"${file}" is cut off: its index lists frames that are not in the file.`, {
    hint: 'Copy or export the clip again.',
  });
}

function isProtected(file: string): EditError {
  return new EditError('clip-unreadable', `"${file}" is protected: its pictures are encrypted.`, {
    hint: 'Choose a clip without copy protection.',
  });
}

function undecodable(file: string, codec: string, packets: number): EditError {
  return new EditError('clip-unreadable', `None of the ${packets} frames of "${file}" can be decoded (${codec}).`, {
    hint: 'Check that the file plays; export or copy it again, or convert it to MP4 or MOV.',
  });
}
