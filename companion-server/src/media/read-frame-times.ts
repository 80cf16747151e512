// When each frame of a clip is shown. The container's own frame count is not trusted: packets are listed, which
// needs no decoding, and where the list is not conclusive the pictures are decoded and counted. Lines are read as they
// come: a clip of hours has a list that would stop everything else if it were read at once.

import { EditError } from '../errors.ts';
import { runFfprobe } from './ffprobe.ts';
import type { VideoStream } from './probe-document.ts';

export interface FrameListing {
  readonly count: number;
  /** Seconds, rising; null when the file gives no usable times. */
  readonly times: Float64Array | null;
  /** How long the last frame is shown, or null when the file does not say. */
  readonly lastDurationSeconds: number | null;
}

export interface ListingOptions {
  /** For each of at most two passes through the file. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Codecs with packets that show no picture (hidden reference frames): their packets cannot be counted. */
const codecsWithHiddenPackets = ['vp8', 'vp9', 'av1'];

/** Most frames of one clip: a day at 60 per second. */
const maxFrames = 24 * 60 * 60 * 60;

/** Longest line of a list that is read; honest ones have about 60 characters. */
const maxLineCharacters = 10_000;

/** Throws EditError `clip-unreadable` when the file is cut off or no picture can be decoded; CanceledError. */
export async function readFrameTimes(
  file: string,
  video: VideoStream,
  options: ListingOptions,
): Promise<FrameListing> {
  const select = ['-select_streams', String(video.streamIndex), '-of', 'compact=p=0'];
  const packets = new FrameRows(file, 'pts_time', 'duration_time');
  const complaints = await runFfprobe(
    file,
    [...select, '-show_entries', 'packet=pts_time,duration_time,flags'],
    { ...options, onOutput: (text) => packets.add(text) },
  );
  if (/partial file|truncated|moov atom not found/i.test(complaints)) throw cutOff(file);
  const listing = packets.finish();
  const isConclusive =
    !codecsWithHiddenPackets.includes(video.codec) &&
    (listing.times !== null || listing.count === 0) &&
    packets.firstFlags?.startsWith('K') !== false;
  if (isConclusive) return listing;
  const frames = new FrameRows(file, 'best_effort_timestamp_time', 'pkt_duration_time');
  await runFfprobe(
    file,
    [...select, '-show_entries', 'frame=best_effort_timestamp_time,pkt_duration_time'],
    { ...options, onOutput: (text) => frames.add(text) },
  );
  return frames.finish();
}

/** Collects times from lines such as `pts_time=0.04|duration_time=0.04|flags=K_`, one per frame. */
class FrameRows {
  /** Of the first packet that shows a picture. */
  firstFlags: string | undefined;
  private readonly file: string;
  private readonly timeKey: string;
  private readonly durationKey: string;
  private readonly times: number[] = [];
  private latest = -Infinity;
  private latestDuration = Number.NaN;
  private unfinished = '';

  constructor(file: string, timeKey: string, durationKey: string) {
    this.file = file;
    this.timeKey = timeKey;
    this.durationKey = durationKey;
  }

  add(text: string): void {
    const lines = (this.unfinished + text).split(/\r?\n/);
    this.unfinished = lines.pop() ?? '';
    if (this.unfinished.length > maxLineCharacters) throw unlistable(this.file);
    for (const line of lines) this.addRow(line);
  }

  finish(): FrameListing {
    this.addRow(this.unfinished);
    const times = Float64Array.from(this.times).sort();
    const areUsable = times.every(
      (time, i) => Number.isFinite(time) && (i === 0 || time > (times[i - 1] ?? NaN)),
    );
    return {
      count: times.length,
      times: areUsable ? times : null,
      lastDurationSeconds: this.latestDuration > 0 ? this.latestDuration : null,
    };
  }

  private addRow(line: string): void {
    if (!line.includes('=')) return;
    const fields = new Map<string, string>();
    for (const field of line.split('|')) {
      const [key, value] = field.split('=');
      if (key !== undefined && value !== undefined && value !== 'N/A') fields.set(key, value);
    }
    const flags = fields.get('flags');
    // Discarded: it is decoded for the sake of others, and not shown.
    if (flags?.includes('D') === true) return;
    if (this.times.length === 0) this.firstFlags = flags;
    if (this.times.length >= maxFrames) throw unlistable(this.file);
    const time = Number(fields.get(this.timeKey) ?? NaN);
    if (this.times.length === 0 || time > this.latest) {
      this.latest = time;
      this.latestDuration = Number(fields.get(this.durationKey) ?? NaN);
    }
    this.times.push(time);
  }
}

function cutOff(file: string): EditError {
  return new EditError(
    'clip-unreadable',
    `"${file}" is cut off: its index lists frames that are not in the file.`,
    { hint: 'Copy or export the clip again.' },
  );
}

function unlistable(file: string): EditError {
  return new EditError('clip-unreadable', `"${file}" has more than ${maxFrames} frames.`, {
    hint: 'Cut the clip into parts.',
  });
}
