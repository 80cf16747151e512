// What an edit costs a clip where it changes nothing: against plain ffmpeg with the same codec.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../companion-server/src/media/ffmpeg/binaries.ts';
import {
  byteLength,
  planeFormatOf,
  toPlanes,
  type PlanarPicture,
  type PlaneFormat,
} from '../../companion-server/src/media/planes.ts';
import { probeClip } from '../../companion-server/src/media/probe/probe.ts';
import type { ClipInfo } from '../../companion-server/src/media/probe/clip-info.ts';
import { makeClip } from '../../companion-server/src/media/testing/clips.ts';
import { codecExtension } from '../../protocol/codecs.ts';
import type { Bench, BenchRow } from '../table.ts';
import { comparePlanes, countDifferent, type PlaneLikeness } from './compare-planes.ts';
import { losslessPictures, makePicture, patterns, type Pattern, type Picture } from './patterns.ts';
import { identity, nearIdentity, untouchedFrom, writeSmallEdit } from './small-edits.ts';

const run = promisify(execFile);

/** Decibels that an edit may cost more than plain ffmpeg does. */
const mostLoss = 1;

export const fidelityBench: Bench = {
  name: 'fidelity',
  title:
    'samples of an edit that changes nothing (and of one that changes less than a code elsewhere) against plain ffmpeg',
  async run({ isQuick, log }) {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-fidelity-'));
    try {
      const rows: BenchRow[] = [];
      for (const pattern of isQuick ? patterns.slice(0, 1) : patterns) {
        log(pattern.name);
        rows.push(...(await measurePattern(pattern, folder)));
      }
      for (const picture of losslessPictures) rows.push(await measureLossless(picture, folder));
      return rows;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measurePattern(pattern: Pattern, folder: string): Promise<BenchRow[]> {
  const { name, codec } = pattern;
  const clip = await probeClip(await makePicture(pattern, path.join(folder, 'clip.mkv')));
  const inFolder = (what: string) => path.join(folder, `${what}${codecExtension(codec)}`);
  const sources = await readPlanes(clip.path, clip);
  const [same, near] = [inFolder('same'), inFolder('near')];
  await writeSmallEdit(clip, identity, codec, same);
  await writeSmallEdit(clip, nearIdentity, codec, near);
  const plainFile = await makeClip(inFolder('plain'), ['-i', clip.path, ...plainOptions(codec)]);
  const plain = await readPlanes(plainFile, clip);
  const likeness = async (file: string, from: number) => comparePlanes(sources, await readPlanes(file, clip), from);
  const [plainAll, plainPart] = [comparePlanes(sources, plain, 0), comparePlanes(sources, plain, untouchedFrom)];
  return [
    ...likenessRows(`${name}, nothing changed`, await likeness(same, 0), plainAll),
    ...likenessRows(`${name}, changed elsewhere`, await likeness(near, untouchedFrom), plainPart),
  ];
}

function likenessRows(figure: string, ours: PlaneLikeness, plain: PlaneLikeness): BenchRow[] {
  const write = ({ decibels }: PlaneLikeness) =>
    decibels.map((value) => (value === Infinity ? 'equal' : value.toFixed(1))).join(' / ');
  return [
    {
      figure: `${figure}: Y / Cb / Cr in dB (plain ffmpeg)`,
      value: `${write(ours)} (${write(plain)})`,
      target: `within ${mostLoss} dB`,
      isMet: ours.decibels.every((value, k) => value >= (plain.decibels[k] ?? 0) - mostLoss),
    },
    {
      figure: `${figure}: longest flat run, clipped codes (plain ffmpeg)`,
      value: `${ours.longestRun}, ${ours.clipped} (${plain.longestRun}, ${plain.clipped})`,
      target: 'no longer, none',
      isMet: ours.longestRun <= plain.longestRun && ours.clipped === 0,
    },
  ];
}

async function measureLossless(picture: Picture, folder: string): Promise<BenchRow> {
  const clip = await probeClip(await makePicture(picture, path.join(folder, 'lossless.mkv')));
  const file = path.join(folder, 'result.mkv');
  await writeSmallEdit(clip, identity, 'ffv1', file);
  const sources = await readPlanes(clip.path, clip);
  const different = countDifferent(sources, await readPlanes(file, clip));
  const all = sources.reduce((sum, { planes }) => sum + planes.reduce((count, plane) => count + plane.length, 0), 0);
  return {
    figure: `FFV1, ${picture.name}, nothing changed: samples of another code`,
    value: `${different} of ${all}`,
    target: '0',
    isMet: different === 0,
  };
}

const prores = (profile: number, pixelFormat: string) => [
  ...['-c:v', 'prores_ks', '-profile:v', String(profile), '-vendor', 'apl0', '-pix_fmt', pixelFormat],
];

/** What a user of ffmpeg types for the codecs of the patterns. Rates are those of the results. */
function plainOptions(codec: Pattern['codec']): readonly string[] {
  switch (codec) {
    case 'prores':
      return prores(3, 'yuv422p10le');
    case 'prores-4444':
      return prores(4, 'yuv444p10le');
    case 'h264':
      return ['-c:v', 'libx264', '-preset', 'medium', '-crf', '16', '-pix_fmt', 'yuv420p'];
    case 'h265':
      return ['-c:v', 'libx265', '-preset', 'medium', '-crf', '14', '-pix_fmt', 'yuv420p10le'];
  }
}

/** All pictures of a file in the planes of `clip`. */
async function readPlanes(file: string, clip: ClipInfo): Promise<PlanarPicture[]> {
  const format: PlaneFormat = planeFormatOf(clip.pixelFormat, clip.bitDepth);
  const { stdout } = await run(
    await findProgram('ffmpeg'),
    [
      ...['-v', 'error', '-nostdin', '-i', file, '-vf', 'scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp'],
      ...['-pix_fmt', format.name, '-f', 'rawvideo', '-'],
    ],
    { encoding: 'buffer', maxBuffer: 2 ** 28 },
  );
  const length = byteLength(format, clip.frameSize);
  // Of its own, because planes of two bytes must begin at an even place.
  return Array.from({ length: Math.floor(stdout.length / length) }, (_, i) => ({
    ...clip.frameSize,
    format,
    planes: toPlanes(new Uint8Array(stdout.subarray(i * length, (i + 1) * length)), format, clip.frameSize),
  }));
}
