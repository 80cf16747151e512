// What a result holds, by ffprobe's count of packets.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';

export interface ResultMeasure {
  readonly frames: number;
  /** Of the picture. */
  readonly seconds: number;
  /**
   * When the sound that is stored begins, also behind an edit list, and when it ends: 0 is the first picture. The widest of all
   * tracks; null without sound.
   */
  readonly sound: { readonly startSeconds: number; readonly endSeconds: number } | null;
}

interface Packet {
  readonly codec_type: string;
  readonly pts_time?: string;
  readonly duration_time?: string;
}

export async function measureResult(file: string): Promise<ResultMeasure> {
  const entries = ['-show_entries', 'packet=codec_type,pts_time,duration_time'];
  const { stdout } = await promisify(execFile)(
    await findProgram('ffprobe'),
    ['-v', 'error', ...entries, '-of', 'json', file],
    { maxBuffer: 256 * 1024 * 1024 },
  );
  const { packets } = JSON.parse(stdout) as { packets: readonly Packet[] };
  const video = packets.filter(({ codec_type }) => codec_type === 'video');
  const sound = packets.filter(({ codec_type }) => codec_type === 'audio');
  const starts = sound.map(({ pts_time }) => Number(pts_time));
  const ends = sound.map(({ pts_time, duration_time = '0' }) => Number(pts_time) + Number(duration_time));
  return {
    frames: video.length,
    seconds: total(video),
    sound: sound.length === 0 ? null : { startSeconds: Math.min(...starts), endSeconds: Math.max(...ends) },
  };
}

function total(packets: readonly Packet[]): number {
  return packets.reduce((sum, { duration_time }) => sum + Number(duration_time ?? 0), 0);
}
