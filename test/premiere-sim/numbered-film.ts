// Films whose frames can be told apart: sixteen bars, black and white, spell the frame's number. The bars outlive
// cutting, converting and (mirrored in every bit) an effect that negates the picture.

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';

const run = promisify(execFile);
/** Films that were made, by what they are of: many tests need the same. */
const made = new Map<string, Promise<Buffer>>();
const bars = 16;
export const filmSize = { width: bars * 8, height: 48 } as const;

export interface FilmRate {
  readonly numerator: number;
  readonly denominator: number;
}

/** Makes a film of `frames` frames that are numbered from `firstNumber` on. */
export async function makeNumberedFilm(
  path: string,
  options: {
    readonly frames: number;
    readonly rate: FilmRate;
    readonly firstNumber?: number;
    readonly hasAudio?: boolean;
    readonly timecode?: string;
  },
): Promise<void> {
  const key = JSON.stringify([options, path.slice(path.lastIndexOf('.'))]);
  const bytes = made.get(key) ?? drawFilm(path, options).then(() => readFile(path));
  made.set(key, bytes);
  await writeFile(path, await bytes);
}

async function drawFilm(path: string, options: Parameters<typeof makeNumberedFilm>[1]): Promise<void> {
  const { frames, rate, firstNumber = 0, hasAudio = false, timecode } = options;
  const rateText = `${rate.numerator}/${rate.denominator}`;
  const { width, height } = filmSize;
  const bar = `floor(X*${bars}/W)`;
  const picture = `color=black:s=${width}x${height}:r=${rateText},format=gray,geq=lum='255*mod(floor((N+${firstNumber})/pow(2,${bar})),2)',format=yuv420p`;
  await run(await findProgram('ffmpeg'), [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', picture],
    ...(hasAudio ? ['-f', 'lavfi', '-i', 'sine=frequency=440', '-c:a', 'aac', '-shortest'] : []),
    ...['-frames:v', String(frames), '-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0'],
    ...(timecode === undefined ? [] : ['-timecode', timecode]),
    ...['-threads', '1', '-video_track_timescale', String(rate.numerator), path],
  ]);
}

/** The numbers that a film's frames bear, in order; a negated frame bears `-1 - number`. */
export async function readFrameNumbers(path: string): Promise<number[]> {
  const { stdout } = await run(
    await findProgram('ffmpeg'),
    [
      ...['-v', 'error', '-i', path, '-fps_mode', 'passthrough', '-threads', '1'],
      ...['-vf', `scale=${bars}:1:flags=area`, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'],
    ],
    { encoding: 'buffer', maxBuffer: 64 * 2 ** 20 },
  );
  const count = stdout.length / bars;
  return Array.from({ length: count }, (_, frame) => {
    const bits = [...stdout.subarray(frame * bars, (frame + 1) * bars)].map((grey) => grey > 127);
    // The last bar is black in every numbered frame, and white where the picture was negated.
    const isNegated = bits[bars - 1] === true;
    const number = bits.reduce((sum, bit, place) => sum + (bit !== isNegated ? 2 ** place : 0), 0);
    return isNegated ? -1 - number : number;
  });
}
