// When each frame of a clip is shown. The container's own frame count is not trusted: packets are listed, which
// needs no decoding, and where the list is not conclusive the pictures are decoded and counted.

import { EditError } from '../errors.ts';
import type { VideoStream } from './probe-document.ts';
import { runFfprobe } from './ffprobe.ts';

export interface FrameListing {
  readonly count: number;
  /** Seconds, rising; null when the file gives no usable times. */
  readonly times: Float64Array | null;
  /** How long the last frame is shown, or null when the file does not say. */
  readonly lastDurationSeconds: number | null;
}

/** Codecs with packets that show no picture (hidden reference frames): their packets cannot be counted. */
const codecsWithHiddenPackets = ['vp8', 'vp9', 'av1'];

/** Throws EditError `clip-unreadable` when the file is cut off or no picture can be decoded; CanceledError. */
export async function readFrameTimes(
  file: string,
  video: VideoStream,
  signal?: AbortSignal,
): Promise<FrameListing> {
  const select = ['-select_streams', String(video.streamIndex), '-of', 'compact=p=0'];
  const packets = await runFfprobe(
    file,
    [...select, '-show_entries', 'packet=pts_time,duration_time,flags'],
    signal,
  );
  if (/partial file|truncated|moov atom not found/i.test(packets.stderr)) throw cutOff(file);
  const shown = parseRows(packets.stdout).filter(({ flags }) => flags?.includes('D') !== true);
  const listing = listTimes(shown.map((row) => [row['pts_time'], row['duration_time']]));
  const isConclusive =
    !codecsWithHiddenPackets.includes(video.codec) &&
    (listing.times !== null || listing.count === 0) &&
    shown[0]?.['flags']?.startsWith('K') !== false;
  if (isConclusive) return listing;
  const frames = await runFfprobe(
    file,
    [...select, '-show_entries', 'frame=best_effort_timestamp_time,pkt_duration_time'],
    signal,
  );
  return listTimes(
    parseRows(frames.stdout).map((row) => [
      row['best_effort_timestamp_time'],
      row['pkt_duration_time'],
    ]),
  );
}

/** `pts_time=0.04|flags=K_` -> { pts_time: '0.04', flags: 'K_' }, one per line. */
function parseRows(output: string): Partial<Record<string, string>>[] {
  return output
    .split(/\r?\n/)
    .filter((line) => line.includes('='))
    .map((line) =>
      Object.fromEntries(
        line.split('|').flatMap((field) => {
          const [key, value] = field.split('=');
          return key === undefined || value === undefined || value === 'N/A' ? [] : [[key, value]];
        }),
      ),
    );
}

function listTimes(
  rows: readonly (readonly [string | undefined, string | undefined])[],
): FrameListing {
  const times = Float64Array.from(rows, ([time]) => Number(time ?? NaN));
  const last = rows.reduce(
    (latest, _row, i) => ((times[i] ?? 0) > (times[latest] ?? 0) ? i : latest),
    0,
  );
  const lastDuration = Number(rows[last]?.[1] ?? NaN);
  times.sort();
  const areUsable = times.every((time, i) => i === 0 || time > (times[i - 1] ?? NaN));
  return {
    count: rows.length,
    times: areUsable && times.every(Number.isFinite) ? times : null,
    lastDurationSeconds: lastDuration > 0 ? lastDuration : null,
  };
}

function cutOff(file: string): EditError {
  return new EditError(
    'clip-unreadable',
    `"${file}" is cut off: its index lists frames that are not in the file.`,
    { hint: 'Copy or export the clip again.' },
  );
}
