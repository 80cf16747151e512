// Tiny clips for tests, made by the real ffmpeg in a folder of their own.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../ffmpeg/binaries.ts';
import type { Picture } from '../frame.ts';

const run = promisify(execFile);

/** A temporary folder; `remove` it after the tests. */
export async function makeFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tokenflow-media-'));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Runs ffmpeg with `args` and the output `file`; returns `file`. */
export async function makeClip(file: string, args: readonly string[]): Promise<string> {
  await run(await findProgram('ffmpeg'), ['-v', 'error', '-nostdin', ...args, '-y', file]);
  return file;
}

/** Size and pixels of the picture in `file`, read by ffmpeg. */
export async function readPixels(file: string): Promise<Picture<'rgb24'>> {
  const bytes = await readFile(await makeClip(`${file}.ppm`, ['-i', file]));
  // P6, width, height, 255, then three bytes a pixel.
  const [head = '', width, height] = /^P6\s(\d+)\s(\d+)\s255\s/.exec(bytes.toString('latin1', 0, 40)) ?? [];
  const size = { width: Number(width), height: Number(height) };
  return { ...size, pixelFormat: 'rgb24', rgb: new Uint8Array(bytes.subarray(head.length)) };
}

/** Input options for `count` frames of ffmpeg's test picture. */
export function testPicture(size: string, rate: string, count: number): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`, '-frames:v', String(count)];
}

/** What ffprobe says about the first video stream of `file`, field by field. */
export async function describeVideo(file: string): Promise<Partial<Record<string, string>>> {
  const args = ['-v', 'error', '-count_frames', '-select_streams', 'v:0', '-show_streams'];
  const { stdout } = await run(await findProgram('ffprobe'), [...args, '-of', 'json', file]);
  const { streams } = JSON.parse(stdout) as { streams: Record<string, unknown>[] };
  return Object.fromEntries(Object.entries(streams[0] ?? {}).map(([key, value]) => [key, String(value)]));
}

/** Where the packets of the first video stream lie in `file`, in bytes. */
export async function packetsOf(file: string): Promise<{ position: number; size: number }[]> {
  const args = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=pos,size'];
  const { stdout } = await run(await findProgram('ffprobe'), [...args, '-of', 'json', file]);
  const { packets } = JSON.parse(stdout) as { packets: { pos: string; size: string }[] };
  return packets.map(({ pos, size }) => ({ position: Number(pos), size: Number(size) }));
}

/** The MD5 of every sound packet's bytes, in order. */
export const soundPackets = (file: string): Promise<string[]> => packetHashes(file, 'a');

/** The MD5 of every picture's bytes as they are stored, in order. */
export const picturePackets = (file: string): Promise<string[]> => packetHashes(file, 'v');

async function packetHashes(file: string, kind: 'a' | 'v'): Promise<string[]> {
  const args = ['-v', 'error', '-i', file, '-map', `0:${kind}`, '-c', 'copy', '-f', 'framemd5', '-'];
  const { stdout } = await run(await findProgram('ffmpeg'), args);
  const rows = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return rows.map((line) => line.split(',').at(-1)?.trim() ?? '');
}

export async function collect<T>(frames: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const frame of frames) all.push(frame);
  return all;
}

/** Writes a quarter turn into the track header of an MP4 of 48 lines, as a phone does. */
export async function turnClockwise(file: string): Promise<void> {
  const bytes = await readFile(file);
  const matrix = bytes.indexOf('tkhd') + 4 + 40;
  [0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000].forEach((value, i) =>
    bytes.writeInt32BE(value, matrix + 4 * i),
  );
  await writeFile(file, bytes);
}
