import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEncoder } from '../encode/encode.ts';
import { findProgram } from '../ffmpeg/binaries.ts';
import { storedRange } from '../colour.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import { probeClip } from '../probe/probe.ts';
import { planeFormatOf, type Plane } from '../planes.ts';
import { collect, makeClip, makeFolder, turnClockwise } from '../testing/clips.ts';
import { decodePlanes } from './frames.ts';

const run = promisify(execFile);

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);

/** A noisy clip of two frames that holds every sample of `pixelFormat` as it is. */
function makeNoise(name: string, size: string, pixelFormat: string, codec: readonly string[]): Promise<string> {
  const picture = `testsrc2=size=${size}:rate=25,noise=alls=60:allf=t:all_seed=7`;
  return makeClip(inFolder(name), [
    ...['-f', 'lavfi', '-i', picture, '-frames:v', '2', '-pix_fmt', pixelFormat],
    ...codec,
  ]);
}

/** The first picture as ffmpeg alone gives it, in the file's own pixel format or in another. */
async function rawPicture(file: string, pixelFormat: string, filters: readonly string[] = []): Promise<Buffer> {
  const { stdout } = await run(
    await findProgram('ffmpeg'),
    [
      ...['-v', 'error', '-nostdin', '-i', file, '-frames:v', '1'],
      ...(filters.length === 0 ? [] : ['-vf', filters.join(',')]),
      ...['-pix_fmt', pixelFormat, '-f', 'rawvideo', '-'],
    ],
    { encoding: 'buffer' },
  );
  return stdout;
}

async function firstPlanes(clip: ClipInfo): Promise<readonly Plane[]> {
  const [first] = await collect(decodePlanes(clip, { endFrame: 1 }));
  return first?.planes ?? [];
}

/** Unchanged through the planes and the lossless encoder. */
async function throughPlanes(clip: ClipInfo, name: string): Promise<string> {
  const format = planeFormatOf(clip.pixelFormat, clip.bitDepth);
  const encoder = await openEncoder(inFolder(name), {
    ...clip.frameSize,
    frameRate: clip.frameRate,
    codec: 'ffv1',
    colour: clip.colour,
    input: format,
    inputRange: storedRange(clip),
    clipFormat: format,
  });
  for await (const frame of decodePlanes(clip)) await encoder.write(frame);
  await encoder.finish();
  return inFolder(name);
}

// Some formats are experimental to it.
const ffv1 = ['-c:v', 'ffv1', '-strict', '-2'];
const raw = ['-c:v', 'rawvideo'];

const planarFormats = [
  ...['yuv420p', 'yuv422p', 'yuv444p', 'yuv440p', 'yuv411p', 'yuv410p'],
  ...['yuv420p10le', 'yuv422p10le', 'yuv444p10le', 'yuv420p12le', 'yuv422p12le', 'yuv444p12le', 'yuv422p16le'],
  ...['yuva420p', 'yuva422p10le', 'yuva444p10le', 'gray', 'gray10le', 'ya8'],
  ...['bgr0', 'bgra', 'gbrp10le', 'gbrp12le', 'gbrp16le', 'gbrap16le'],
];

describe('decodePlanes', () => {
  test.each(planarFormats)(
    'no sample of %s changes on the way into planes and out of a lossless file',
    async (format) => {
      // Odd edges are the hard ones.
      const clip = await probeClip(await makeNoise(`${format}.mkv`, '47x35', format, ffv1));
      expect(clip.pixelFormat).toBe(format);
      const result = await throughPlanes(clip, `${format}-out.mkv`);
      const [before, after] = [await rawPicture(clip.path, format), await rawPicture(result, format)];
      expect(Buffer.compare(after, before)).toBe(0);
    },
  );

  test.each([
    ['nv12', 'mkv'],
    ['yuyv422', 'mov'],
    ['uyvy422', 'mov'],
    ['bgra', 'avi'],
    ['bgr24', 'avi'],
    ['pal8', 'avi'],
    ['rgb565le', 'mov'],
  ])('nor does one of a packed format: %s', async (format, ending) => {
    const clip = await probeClip(await makeNoise(`packed-${format}.${ending}`, '48x36', format, raw));
    expect(clip.pixelFormat).toBe(format);
    const result = await throughPlanes(clip, `packed-${format}-out.mkv`);
    const common = { pal8: 'bgra', rgb565le: 'rgb24' }[format] ?? format;
    const [before, after] = [await rawPicture(clip.path, common), await rawPicture(result, common)];
    expect(Buffer.compare(after, before)).toBe(0);
  });

  test('codes above white and below black are kept, in both ranges', async () => {
    for (const range of ['tv', 'pc']) {
      const codes = `geq=lum='X*4':cb='X*8':cr='1023-X*8'`;
      const picture = `nullsrc=size=256x16:rate=25,format=yuv420p10le,${codes},setparams=range=${range}`;
      const clip = await probeClip(
        await makeClip(inFolder(`ramp-${range}.mkv`), [
          ...['-f', 'lavfi', '-i', picture, '-frames:v', '2', ...ffv1, '-color_range', range],
        ]),
      );
      const [luma = new Uint16Array(), cb = new Uint16Array()] = await firstPlanes(clip);
      expect(Array.from(luma.subarray(0, 256))).toEqual(Array.from({ length: 256 }, (_, x) => 4 * x));
      expect(Array.from(cb.subarray(0, 128))).toEqual(Array.from({ length: 128 }, (_, x) => 8 * x));
    }
  });

  test('a clip that lies on its side is upright', async () => {
    const turned = await makeNoise('turned.mp4', '64x48', 'yuv420p', ['-c:v', 'libx264', '-qp', '0']);
    await turnClockwise(turned);
    const clip = await probeClip(turned);
    expect(clip.frameSize).toEqual({ width: 48, height: 64 });
    const planes = await firstPlanes(clip);
    const upright = await rawPicture(clip.path, 'yuv420p');
    expect(Buffer.compare(Buffer.concat(planes.map((plane) => Buffer.from(plane))), upright)).toBe(0);
  });

  test('what is interlaced is made progressive as for the edit itself', async () => {
    const args = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=64x48:rate=50,interlace',
      '-frames:v',
      '3',
      '-pix_fmt',
      'yuv422p10le',
    ];
    const file = await makeClip(inFolder('fields.mov'), [
      ...args,
      '-c:v',
      'prores_ks',
      '-flags',
      '+ildct',
      '-field_order',
      'tt',
    ]);
    const clip = await probeClip(file);
    expect(clip.interlaced).toBe(true);
    const [luma = new Uint16Array()] = await firstPlanes(clip);
    const alone = await rawPicture(file, clip.pixelFormat, ['yadif']);
    const expected = new Uint16Array(alone.buffer, alone.byteOffset, luma.length);
    expect(Array.from(luma)).toEqual(Array.from(expected));
  });
});
