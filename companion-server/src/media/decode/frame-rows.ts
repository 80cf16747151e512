// The rows that ffprobe prints for packets and for decoded frames, read as they come: the list of a clip of hours would
// block everything else if it were read at once.

import { EditError } from '../../errors.ts';

/** What a packet shows, or what a decoded frame is. */
export interface FrameRow {
  /** Seconds of the file's clock; NaN where the file does not say. */
  readonly time: number;
  /** How long it is shown, in seconds; NaN where the file does not say. */
  readonly duration: number;
  /** Decoding can begin here. */
  readonly isKey: boolean;
  /** It is decoded only because other frames need it, and not shown. */
  readonly isDiscarded: boolean;
  /** Its bytes are encrypted. Known of packets only. */
  readonly isEncrypted: boolean;
  /** Two fields of different moments. Known of decoded frames only. */
  readonly isInterlaced: boolean;
  /** It carries the description of an HDR display or of its light. Known of decoded frames only. */
  readonly hasHdrMetadata: boolean;
  /** It carries such a description of its own scene. Known of decoded frames only. */
  readonly hasDynamicHdr: boolean;
}

/** Most frames of one clip: a day at 60 per second. */
const maxFrames = 24 * 60 * 60 * 60;

/** Longest line of a list that is read; normal ones have about 100 characters. */
const maxLineCharacters = 10_000;

export const packetEntries = 'packet=pts_time,duration_time,flags:packet_side_data=side_data_type';

/** ffprobe before version 5 has `pkt_duration_time`, later ones have `duration_time`. */
export const frameEntries =
  'frame=best_effort_timestamp_time,pkt_duration_time,duration_time,key_frame,interlaced_frame:frame_side_data=side_data_type';

/** ffprobe's names of it, for frames and for streams. */
const hdrSideData = /Mastering display metadata|Content light level metadata/i;
export const dynamicHdrSideData = /HDR Dynamic Metadata|HDR10\+|SMPTE2094|DOVI|Dolby Vision/i;

/** Collects rows from lines such as `pts_time=0.04|duration_time=0.04|flags=K_`. */
export class FrameRows {
  readonly rows: FrameRow[] = [];
  private readonly file: string;
  private unfinished = '';

  constructor(file: string) {
    this.file = file;
  }

  /** Throws EditError `clip-unreadable` for more frames than a clip may have. */
  add(text: string): void {
    const lines = (this.unfinished + text).split(/\r?\n/);
    this.unfinished = lines.pop() ?? '';
    if (this.unfinished.length > maxLineCharacters) throw unlistable(this.file);
    for (const line of lines) this.addLine(line);
  }

  /** Call when nothing more comes. */
  finish(): readonly FrameRow[] {
    this.addLine(this.unfinished);
    this.unfinished = '';
    return this.rows;
  }

  private addLine(line: string): void {
    if (!line.includes('_time=')) return;
    const fields = new Map<string, string>();
    for (const field of line.split('|')) {
      const [key, value] = field.split('=');
      if (key !== undefined && value !== undefined && value !== 'N/A') fields.set(key, value);
    }
    const number = (...keys: readonly string[]): number => {
      const key = keys.find((name) => fields.has(name));
      return key === undefined ? Number.NaN : Number(fields.get(key));
    };
    if (this.rows.length >= maxFrames) throw unlistable(this.file);
    const flags = fields.get('flags') ?? '';
    this.rows.push({
      time: number('pts_time', 'best_effort_timestamp_time'),
      duration: number('duration_time', 'pkt_duration_time'),
      isKey: flags.startsWith('K') || fields.get('key_frame') === '1',
      isDiscarded: flags.includes('D'),
      isEncrypted: fields.get('side_data_type') === 'Encryption info',
      isInterlaced: fields.get('interlaced_frame') === '1',
      hasHdrMetadata: hdrSideData.test(line),
      hasDynamicHdr: dynamicHdrSideData.test(line),
    });
  }
}

function unlistable(file: string): EditError {
  return new EditError('clip-unreadable', `"${file}" has more than ${maxFrames} frames.`, {
    hint: 'Cut the clip into parts.',
  });
}
