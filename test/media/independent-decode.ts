// A clip read from its beginning to its end by ffmpeg alone, without any search: what our own reading is compared with.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ClipInfo } from '../../companion-server/src/media/probe/clip-info.ts';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';
import type { Size } from '../../companion-server/src/media/frame.ts';
import { rgbLayout } from '../../companion-server/src/media/decode/reading-plan.ts';

export interface DecodedFrame {
  /** Seconds of the file's clock; NaN where there is none. */
  readonly time: number;
  /** Of the picture as full-range RGB, in hexadecimal digits. */
  readonly md5: string;
}

export interface IndependentDecode {
  readonly frames: readonly DecodedFrame[];
  /** False when the time was over before the end of the clip. */
  readonly isWhole: boolean;
}

/** Never throws for what is wrong with the clip: the frames are those that came. */
export async function decodeAlone(clip: ClipInfo, size: Size, limitMs: number): Promise<IndependentDecode> {
  const filters = [...(clip.interlaced ? ['yadif'] : []), ...rgbLayout(clip, size).filters, 'settb=1/1000000'];
  const child = spawn(
    await findProgram('ffmpeg'),
    [
      ...['-v', 'error', '-nostdin', '-copyts', '-i', clip.path, '-map', `0:${clip.streamIndex}`],
      // FFmpeg's deinterlacer is not the same twice with more threads.
      ...['-filter_threads', '1', '-vf', filters.join(','), '-vsync', 'passthrough', '-enc_time_base', '1:1000000'],
      ...['-pix_fmt', 'rgb24', '-f', 'framemd5', '-'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let isWhole = true;
  const timer = setTimeout(() => {
    isWhole = false;
    child.kill('SIGKILL');
  }, limitMs);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const frames: DecodedFrame[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('#')) continue;
    const [, , pts, , , md5] = line.split(',').map((field) => field.trim());
    if (md5 !== undefined) frames.push({ time: Number(pts) / 1e6, md5 });
  }
  clearTimeout(timer);
  await ended;
  return { frames, isWhole };
}
