import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainFailure } from '../ffmpeg/ffmpeg-error.ts';
import { openEncoder } from './encode.ts';
import { rgb24Input } from './encoder-options.ts';
import { videoOptions } from './video-options.ts';
import type { Frame, Size } from '../frame.ts';
import { decodeFrames } from '../decode/frames.ts';
import { probeClip } from '../probe/probe.ts';
import { collect, describeVideo, makeClip, makeFolder, testPicture } from '../testing/clips.ts';
import { encodeFrames, paint, rate } from '../testing/encode-frames.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);

/** Worst mean difference of a frame of `file` from what was written, 0..255. */
async function worstDifference(file: string, size: Size): Promise<number> {
  const frames = await collect(decodeFrames(await probeClip(file)));
  return Math.max(
    ...frames.map(({ index, rgb }) => {
      const expected = paint(index, size).rgb;
      return rgb.reduce((sum, value, i) => sum + Math.abs(value - (expected[i] ?? 0)), 0) / rgb.length;
    }),
  );
}

describe('openEncoder', () => {
  test.each([
    ['prores', 'mov', rate(24_000, 1001)],
    ['h264', 'mp4', rate(30_000, 1001)],
    ['h264', 'mov', rate(60_000, 1001)],
  ] as const)('%s in .%s keeps rate, count and pictures: %o', async (codec, ending, frameRate) => {
    const size = { width: 96, height: 64 };
    const file = inFolder(`${codec}-${frameRate.numerator}.${ending}`);
    await encodeFrames(file, 13, { ...size, frameRate, codec });
    const clip = await probeClip(file);
    expect(clip).toMatchObject({ frameCount: 13, frameRate, frameSize: size, variableRate: false });
    expect(await worstDifference(file, size)).toBeLessThan(3);
  });

  test('ProRes is 422 HQ of ten bits, as editors expect it', async () => {
    const file = inFolder('hq.mov');
    await encodeFrames(file, 2, { width: 64, height: 48, frameRate: rate(25), codec: 'prores' });
    expect(await describeVideo(file)).toMatchObject({
      codec_name: 'prores',
      codec_tag_string: 'apch',
      pix_fmt: 'yuv422p10le',
      nb_read_frames: '2',
    });
  });

  test.each([
    ['prores', 'mov'],
    ['h264', 'mp4'],
  ] as const)('odd sizes stay odd: %s', async (codec, ending) => {
    const size = { width: 97, height: 63 };
    const file = inFolder(`odd.${ending}`);
    await encodeFrames(file, 3, { ...size, frameRate: rate(25), codec });
    expect(await describeVideo(file)).toMatchObject({
      width: '97',
      height: '63',
      pix_fmt: expect.stringMatching(/^yuv444p/) as string, // decoders differ in its bits
    });
    expect(await worstDifference(file, size)).toBeLessThan(3);
  });

  test.each(['prores', 'h264'] as const)('tags and pixel aspect are written: %s', async (codec) => {
    const colour = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' } as const;
    const file = inFolder(`tags-${codec}.mov`);
    const options = { width: 72, height: 48, frameRate: rate(25), codec, colour };
    await encodeFrames(file, 2, { ...options, sampleAspect: rate(4, 3) });
    const clip = await probeClip(file);
    expect(clip.colour).toMatchObject({ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' });
    expect(clip.sampleAspect).toEqual(rate(4, 3));
  });

  const primaries = [
    'bt709',
    'bt470m',
    'bt470bg',
    'smpte170m',
    'smpte240m',
    'film',
    'bt2020',
    'smpte428',
    'smpte431',
    'smpte432',
    'ebu3213',
  ];
  const transfers = [
    'bt709',
    'bt470m',
    'bt470bg',
    'smpte170m',
    'smpte240m',
    'linear',
    'log100',
    'log316',
    'iec61966-2-4',
    'bt1361e',
    'iec61966-2-1',
    'bt2020-10',
    'bt2020-12',
    'smpte2084',
    'smpte428',
    'arib-std-b67',
  ];
  test.each(transfers.map((transfer, i) => [transfer, primaries[i % primaries.length] ?? '']))(
    'every tag that ffprobe can name is taken: transfer %s, primaries %s',
    async (transfer, primary) => {
      const colour = { range: 'tv', primaries: primary, transfer, matrix: 'bt709' } as const;
      const size = { width: 64, height: 48 };
      for (const [codec, name] of [
        ['prores', 'named.mov'],
        ['h264', 'named.mp4'],
      ] as const) {
        await encodeFrames(inFolder(name), 1, { ...size, frameRate: rate(25), codec, colour });
      }
      const written = (await probeClip(inFolder('named.mp4'))).colour;
      // x264 has no word for these primaries.
      const expected = primary === 'ebu3213' ? null : primary;
      expect(written).toMatchObject({ primaries: expected, transfer });
    },
  );

  test('a tag that is not known is left out', async () => {
    const colour = {
      range: 'tv',
      primaries: 'bt709',
      transfer: 'bt9999',
      matrix: 'ipt-c2',
    } as const;
    const size = { width: 64, height: 48 };
    await encodeFrames(inFolder('new.mov'), 1, { ...size, frameRate: rate(25), codec: 'prores', colour });
    expect((await probeClip(inFolder('new.mov'))).colour).toMatchObject({ transfer: null });
  });

  test('full range stays full range in H.264, and looks the same', async () => {
    const colour = { range: 'pc', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' } as const;
    const size = { width: 96, height: 64 };
    const file = inFolder('full.mp4');
    await encodeFrames(file, 2, { ...size, frameRate: rate(25), codec: 'h264', colour });
    expect((await probeClip(file)).colour).toEqual(colour);
    expect(await worstDifference(file, size)).toBeLessThan(3);
  });

  test('an untagged clip stays untagged', async () => {
    const file = inFolder('untagged.mov');
    await encodeFrames(file, 2, { width: 64, height: 48, frameRate: rate(25), codec: 'prores' });
    expect((await probeClip(file)).colour).toMatchObject({
      primaries: null,
      transfer: null,
      matrix: null,
    });
  });

  test('frames of the working size come out at the clip size', async () => {
    const file = inFolder('upscaled.mp4');
    const options = { width: 192, height: 128, frameRate: rate(12), codec: 'h264' } as const;
    await encodeFrames(file, 2, { ...options, inputSize: { width: 96, height: 64 } });
    expect(await describeVideo(file)).toMatchObject({ width: '192', height: '128' });
  });

  test('nothing lies at the final name before the end, and nothing else after it', async () => {
    await mkdir(inFolder('whole'));
    const file = inFolder('whole/out.mp4');
    const size = { width: 64, height: 48 };
    const encoder = await openEncoder(file, { ...size, frameRate: rate(25), codec: 'h264' });
    await encoder.write(paint(0, size));
    expect(await readdir(inFolder('whole'))).not.toContain('out.mp4');
    await encoder.finish();
    await encoder.abort();
    expect(await readdir(inFolder('whole'))).toEqual(['out.mp4']);
  });
});

describe('failures leave nothing behind', () => {
  const size = { width: 64, height: 48 };
  const options = { ...size, frameRate: rate(25), codec: 'h264' } as const;

  test('the ending must fit the codec', async () => {
    await expect(openEncoder(inFolder('a.mp4'), { ...options, codec: 'prores' })).rejects.toMatchObject({
      code: 'invalid-request',
      message: `The output must end in .mov for ProRes 422 HQ, got "${inFolder('a.mp4')}".`,
    });
  });

  test('the name of the clip itself', async () => {
    const file = await makeClip(inFolder('self.mp4'), testPicture('64x48', '25', 1));
    const audioFrom = { clip: await probeClip(file), startSeconds: 0, endSeconds: 1 };
    await expect(openEncoder(file, { ...options, audioFrom })).rejects.toMatchObject({
      code: 'invalid-request',
      message: `The result would replace the clip itself: "${file}".`,
    });
  });

  test('a folder that is not there', async () => {
    await expect(openEncoder(inFolder('no/such/a.mp4'), options)).rejects.toMatchObject({
      code: 'output-unwritable',
      message: `Cannot write "${inFolder('no/such/a.mp4')}": its folder does not exist.`,
    });
  });

  // The superuser may write everywhere.
  test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('a folder without permission', async () => {
    await mkdir(inFolder('locked'), { mode: 0o500 });
    await expect(openEncoder(inFolder('locked/a.mp4'), options)).rejects.toMatchObject({
      code: 'output-unwritable',
    });
  });

  test('a folder in place of the file', async () => {
    await mkdir(inFolder('taken/out.mp4'), { recursive: true });
    const encoder = await openEncoder(inFolder('taken/out.mp4'), options);
    await encoder.write(paint(0, size));
    await expect(encoder.finish()).rejects.toMatchObject({ code: 'output-unwritable' });
    expect(await readdir(inFolder('taken'))).toEqual(['out.mp4']);
  });

  test('a frame of the wrong size', async () => {
    await mkdir(inFolder('wrong'));
    const encoder = await openEncoder(inFolder('wrong/out.mp4'), options);
    await expect(encoder.write(paint(0, { width: 32, height: 48 }))).rejects.toThrow(
      'openEncoder: frames must be rgb24 of 64 x 48 in 9216 bytes, got rgb24 of 32 x 48 in 4608 bytes.',
    );
    expect(await readdir(inFolder('wrong'))).toEqual([]);
  });

  test('a frame of 16 bits', async () => {
    await mkdir(inFolder('deep'));
    const encoder = await openEncoder(inFolder('deep/out.mp4'), options);
    const deep: Frame = {
      ...size,
      index: 0,
      pixelFormat: 'rgb48le',
      rgb: new Uint16Array(3 * size.width * size.height),
    };
    await expect(encoder.write(deep)).rejects.toThrow(
      'openEncoder: frames must be rgb24 of 64 x 48 in 9216 bytes, got rgb48le of 64 x 48 in 18432 bytes.',
    );
    expect(await readdir(inFolder('deep'))).toEqual([]);
  });

  test('cancel in the middle keeps an older file at the name', async () => {
    await mkdir(inFolder('cancel'));
    const file = inFolder('cancel/out.mp4');
    await writeFile(file, 'older');
    const controller = new AbortController();
    const encoder = await openEncoder(file, { ...options, signal: controller.signal });
    await encoder.write(paint(0, size));
    controller.abort();
    await expect(encoder.finish()).rejects.toMatchObject({ name: 'CanceledError' });
    expect(await readdir(inFolder('cancel'))).toEqual(['out.mp4']);
    expect(await readFile(file, 'utf8')).toBe('older');
  });

  test('an encoder without the bits of its codec is named, and takes no other', async () => {
    const frame = { ...size, frameRate: rate(25), codec: 'h264' } as const;
    const deep = videoOptions({ ...frame, input: rgb24Input }, 'mp4').map((text) =>
      text.replaceAll('yuv420p', 'yuv420p16le'),
    );
    const args = [...testPicture('64x48', '25', 1), ...deep];
    const stderrTail = await makeClip(inFolder('deep.mp4'), args).then(
      () => '',
      (error: unknown) => String(error),
    );
    const run = { exitCode: 1, stderrTail, command: 'ffmpeg' };
    expect(explainFailure('write', 'deep.mp4', run)).toMatchObject({
      code: 'ffmpeg-failed',
      message: 'This FFmpeg cannot write "deep.mp4": its encoder lacks the bits or the sampling of the codec.',
    });
  });

  test.skipIf(process.platform === 'win32').each([
    ['No space left on device', 'disk-full'],
    ['out.mp4: Permission denied', 'output-unwritable'],
    ['Something else', 'ffmpeg-failed'],
  ])('ffmpeg ending with "%s" is %s', async (words, code) => {
    const fake = inFolder(`fake-${code}`);
    await writeFile(fake, `#!/bin/sh\necho "[mp4 @ 0x1] ${words}" >&2\nexit 1\n`);
    await chmod(fake, 0o755);
    await mkdir(inFolder(code));
    const before = process.env['FFMPEG_PATH'];
    process.env['FFMPEG_PATH'] = fake;
    try {
      const encoder = await openEncoder(inFolder(`${code}/out.mp4`), options);
      const failure = {
        name: 'FfmpegError',
        code,
        exitCode: 1,
        stderrTail: `[mp4 @ 0x1] ${words}`,
      };
      await expect(encoder.finish()).rejects.toMatchObject(failure);
      await expect(encoder.write(paint(0, size))).rejects.toMatchObject({ code });
    } finally {
      if (before === undefined) delete process.env['FFMPEG_PATH'];
      else process.env['FFMPEG_PATH'] = before;
    }
    expect(await readdir(inFolder(code))).toEqual([]);
  });
});
