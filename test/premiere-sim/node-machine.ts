// The real disk and ffmpeg under the simulated Premiere. Films are cut without loss, so that frames can be compared.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  unlink,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import path from 'node:path';
import { promisify, types } from 'node:util';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';
import { parseTimecode } from '../../companion-server/src/media/timecode.ts';
import { ticksPerSecond } from '../../plugin/src/host/ticks.ts';
import type { UxpFs } from '../../plugin/src/host/premiere/api.ts';
import { Violation } from './rules.ts';
import type { SimMedia } from './sim-document.ts';
import type { RenderRequest, SimMachine } from './sim-machine.ts';

const run = promisify(execFile);

/** `folder` is all that `plugin-data:/` reaches; native paths go where they go. */
export function createNodeMachine(folder: string): SimMachine {
  const dataFolder = path.join(folder, 'plugin-data');
  return {
    dataFolder,
    homeFolder: path.join(folder, 'home'),
    fs: createUxpFs(dataFolder),
    probe: probeMedia,
    render,
    async reveal(from, to, share) {
      if (share >= 1) {
        await copyFile(from, to);
        await unlink(from);
        return;
      }
      const whole = await readFile(from);
      await writeFile(to, whole.subarray(0, Math.max(1, Math.floor(whole.length * share))));
    },
  };
}

/** What was found in films, by their SHA-256: most tests import the same ones. */
const probed = new Map<string, Promise<SimMedia>>();

async function probeMedia(file: string): Promise<SimMedia> {
  const key = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  const found = probed.get(key) ?? lookInto(file);
  probed.set(key, found);
  return found;
}

async function lookInto(file: string): Promise<SimMedia> {
  const options = [
    '-v',
    'error',
    '-count_packets',
    '-of',
    'json',
    '-show_entries',
    'stream=codec_type,r_frame_rate,nb_read_packets:stream_tags=timecode',
  ];
  const { stdout } = await run(await findProgram('ffprobe'), [...options, file]);
  const { streams } = JSON.parse(stdout) as {
    streams: { codec_type: string; r_frame_rate: string; nb_read_packets: string; tags?: { timecode?: string } }[];
  };
  const video = streams.find(({ codec_type }) => codec_type === 'video');
  if (video === undefined) throw new Error(`${file} has no picture.`);
  const [numerator, denominator] = video.r_frame_rate.split('/').map(BigInt) as [bigint, bigint];
  const ticksPerFrame = (ticksPerSecond * denominator) / numerator;
  const rate = { numerator: Number(numerator), denominator: Number(denominator) };
  const timecode = parseTimecode(video.tags?.timecode ?? '', rate);
  return {
    frames: Number(video.nb_read_packets),
    ticksPerFrame,
    start: BigInt(timecode?.frames ?? 0) * ticksPerFrame,
    hasAudio: streams.some(({ codec_type }) => codec_type === 'audio'),
  };
}

async function render({ pieces, width, height, rate, path: target }: RenderRequest): Promise<void> {
  const rateText = `${rate.numerator}/${rate.denominator}`;
  const inputs = pieces.flatMap(({ path: file }) =>
    file === null ? ['-f', 'lavfi', '-i', `color=black:s=${width}x${height}:r=${rateText}`] : ['-i', file],
  );
  const cuts = pieces.map(({ startFrame, frames, effect }, index) =>
    [
      `[${index}:v]trim=start_frame=${startFrame}:end_frame=${startFrame + frames}`,
      `setpts=N/(${rateText})/TB`,
      ...(effect === 'negate' ? ['negate'] : []),
      `format=yuv420p[v${index}]`,
    ].join(','),
  );
  const joined = pieces.map((_piece, index) => `[v${index}]`).join('');
  const filter = `${cuts.join(';')};${joined}concat=n=${pieces.length}:v=1[out]`;
  const format = target.replace(/\.whole$/, '').endsWith('.mp4') ? 'mp4' : 'mov';
  await run(await findProgram('ffmpeg'), [
    ...['-v', 'error', '-y', ...inputs, '-filter_complex', filter, '-map', '[out]'],
    ...['-r', rateText, '-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-threads', '1'],
    ...['-video_track_timescale', String(rate.numerator), '-f', format, target],
  ]);
}

function createUxpFs(dataFolder: string): UxpFs {
  const files = new Map<number, FileHandle>();
  let lastFd = 100;

  const native = (file: string): string =>
    file.startsWith('plugin-data:/') ? path.join(dataFolder, file.slice(13)) : file;
  function handle(fd: number): FileHandle {
    const file = files.get(fd);
    if (file === undefined) throw new Error(`EBADF: file ${fd} is not open.`);
    return file;
  }
  function requireText(options: { readonly encoding: string }): void {
    if (options.encoding !== 'utf-8') throw new Violation('encoding', options.encoding);
  }
  function requireBuffer(buffer: unknown): void {
    // Also one of another realm, as in a simulated runtime.
    if (!types.isAnyArrayBuffer(buffer)) throw new Violation('array-buffer', String(buffer));
  }

  return {
    async readFile(file, options) {
      requireText(options);
      return readFile(native(file), 'utf8');
    },
    async writeFile(file, data, options) {
      requireText(options);
      await mkdir(dataFolder, { recursive: true });
      await writeFile(native(file), data, { encoding: 'utf8', flag: options.flag ?? 'w' });
      return data.length;
    },
    async open(file, flag) {
      const opened = await open(native(file), flag);
      lastFd += 1;
      files.set(lastFd, opened);
      return lastFd;
    },
    async close(fd) {
      await handle(fd).close();
      files.delete(fd);
      return 0;
    },
    async read(fd, buffer, offset, length, position) {
      requireBuffer(buffer);
      const view = new Uint8Array(buffer);
      const { bytesRead } = await handle(fd).read(view, offset, length, position);
      return { bytesRead };
    },
    async write(fd, buffer, offset, length, position) {
      requireBuffer(buffer);
      const view = new Uint8Array(buffer);
      const { bytesWritten } = await handle(fd).write(view, offset, length, position);
      return { bytesWritten };
    },
    lstat: (file) => lstat(native(file)),
    rename: (from, to) => rename(native(from), native(to)),
    unlink: (file) => unlink(native(file)),
    mkdir: (file, options) => mkdir(native(file), options),
    readdir: (file) => readdir(native(file)),
  };
}
