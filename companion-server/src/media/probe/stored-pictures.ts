// The pictures of a file as they are stored, from a certain one on, each with the time at which it is shown: what came is
// compared with the requested frame, because no search in a file is reliable.

import { PassThrough } from 'node:stream';
import type { ClipInfo } from './clip-info.ts';
import { FfmpegError, overtime } from '../ffmpeg/ffmpeg-error.ts';
import { isErrorLine, startFfmpeg } from '../ffmpeg/ffmpeg.ts';
import { fileUrl, guardedDecodeOptions } from '../ffmpeg/input-guard.ts';
import {
  evenGrid,
  frameTimeIn,
  gridRate,
  planReading,
  type PictureLayout,
  type ReadingPlan,
} from '../decode/reading-plan.ts';

export interface StoredPicture {
  /** Seconds of the file's clock; null where the file gives no times. */
  readonly time: number | null;
  /** As the reader's layout says. */
  readonly bytes: Uint8Array;
}

export interface StoredReader {
  /** Pictures from the first stored frame of the reader on, as far as they can be decoded, in order. */
  readonly pictures: AsyncIterable<StoredPicture>;
  /** What ffmpeg found wrong with the file while it read the pictures handed out. */
  readonly complaints: () => number;
}

export interface StoredOptions {
  readonly layout: PictureLayout;
  readonly signal?: AbortSignal | undefined;
}

/** How long ffmpeg may take for the next frame. What the reader takes does not count. */
const stallMs = 60_000;

/**
 * Reads the stored frames from number `first` on, upright. Where a search ends behind the frame, the next way to it is
 * tried; when it does not come either way, it cannot be decoded, and the pictures begin with the next one that can. Throws
 * FfmpegError, EditError `clip-unreadable`; CanceledError.
 */
export function readStored(clip: ClipInfo, first: number, options: StoredOptions): StoredReader {
  const { plans, fromSeconds } = planReading(clip, first);
  const [time = -Infinity, next = Infinity] = clip.frameTimes?.subarray(first, first + 2) ?? [];
  const until = (time + next) / 2;
  let log = new DecodingLog();
  async function* pictures(): AsyncGenerator<StoredPicture, void, undefined> {
    for (const plan of plans) {
      log = new DecodingLog(fromSeconds ?? undefined);
      let isThere = fromSeconds === null || plan === plans.at(-1);
      try {
        for await (const bytes of decode(clip, plan, options, log)) {
          const time = fromSeconds === null ? null : await log.nextTime();
          // A frame before was seen: this way leads to the right place, and what is missing cannot be decoded.
          isThere ||= (time ?? Infinity) < until || log.hasSeenEarlier;
          if (!isThere) break;
          yield { time, bytes };
        }
      } catch (error) {
        if (isThere || !(error instanceof FfmpegError)) throw error;
      }
      if (isThere || log.hasSeenEarlier) return;
    }
  }
  return { pictures: pictures(), complaints: () => log.complaints };
}

/** What ffmpeg's log says about one run. */
class DecodingLog {
  /** A frame was decoded that is shown before the first requested one. */
  hasSeenEarlier = false;
  complaints = 0;
  private readonly fromSeconds: number;
  private readonly times: number[] = [];
  private waiting: ((time: number) => void) | null = null;
  private hasBegun = false;
  private isOver = false;

  constructor(fromSeconds = -Infinity) {
    this.fromSeconds = fromSeconds;
  }

  read(line: string): void {
    // What is wrong before the first picture is that decoding began in the middle of the file.
    if (isErrorLine(line) && this.hasBegun) this.complaints++;
    const time = frameTimeIn(line);
    if (time === undefined) return;
    if (time < this.fromSeconds) {
      this.hasSeenEarlier = true;
      return;
    }
    this.hasBegun = true;
    this.times.push(time);
    this.handOver();
  }

  end(): void {
    this.isOver = true;
    this.handOver();
  }

  /** Of the next picture; NaN when the log does not tell it. */
  nextTime(): Promise<number> {
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.handOver();
    });
  }

  private handOver(): void {
    if (this.waiting === null || (this.times.length === 0 && !this.isOver)) return;
    this.waiting(this.times.shift() ?? Number.NaN);
    this.waiting = null;
  }
}

async function* decode(
  clip: ClipInfo,
  { seek, select }: ReadingPlan,
  { layout, signal }: StoredOptions,
  log: DecodingLog,
): AsyncGenerator<Uint8Array, void, undefined> {
  const alive = new Patience(stallMs);
  // emitClose off: fluent-ffmpeg takes a closed output for a lost reader.
  const output = new PassThrough({ emitClose: false, autoDestroy: false });
  const filters = [...select, ...layout.filters, ...evenGrid].join(',');
  const run = await startFfmpeg({
    inputs: [{ source: fileUrl(clip.path), options: [...guardedDecodeOptions, ...seek] }],
    outputOptions: [
      // With more threads, yadif is not the same twice.
      ...(clip.interlaced ? ['-filter_threads', '1'] : []),
      ...['-map', `0:${clip.streamIndex}`, '-vf', filters],
      ...['-r', gridRate, '-f', 'rawvideo', '-pix_fmt', layout.pixelFormat],
    ],
    output,
    purpose: 'read',
    file: clip.path,
    signal,
    onLogLine: (line) => {
      log.read(line);
      alive.signOfLife();
    },
  });
  run.done.catch((error: unknown) => output.destroy(error as Error)).finally(() => log.end());
  try {
    const onStall = () => void run.stop(overtime(clip.path, stallMs));
    yield* splitBytes(alive.watch(output, onStall), layout.byteLength);
    await run.done;
  } finally {
    await run.stop();
  }
}

/** Notices when nothing has happened for `limitMs` while something is waited for. */
class Patience {
  private readonly limitMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }

  /** A frame that is decoded and dropped on the way to the wanted ones is one. */
  signOfLife(): void {
    this.timer?.refresh();
  }

  /** The same pieces; `onStall` is called when one is waited for too long. */
  async *watch(source: AsyncIterable<Buffer>, onStall: () => void): AsyncGenerator<Buffer> {
    const wait = () => (this.timer = setTimeout(onStall, this.limitMs));
    const rest = () => {
      clearTimeout(this.timer);
      this.timer = undefined;
    };
    wait();
    try {
      for await (const piece of source) {
        rest();
        yield piece;
        wait();
      }
    } finally {
      rest();
    }
  }
}

/** Cuts a byte stream into pieces of `size` bytes, each newly allocated. An incomplete last piece is dropped. */
async function* splitBytes(source: AsyncIterable<Buffer>, size: number): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length;) {
      const taken = Math.min(size - filled, chunk.length - offset);
      piece.set(chunk.subarray(offset, offset + taken), filled);
      filled += taken;
      offset += taken;
      if (filled === size) {
        yield piece;
        piece = new Uint8Array(size);
        filled = 0;
      }
    }
  }
}
