import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClipInfo } from './clip-info.ts';
import { openEncoder, rehearseEncoder, type EncoderOptions } from './encode.ts';
import type { Frame, Rational, Size } from './frame.ts';
import { decodeFrames } from './frames.ts';
import { probeClip } from './probe.ts';
import { collect, describeVideo, makeClip, makeFolder, soundPackets, testPicture } from './testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const rate = (numerator: number, denominator = 1): Rational => ({ numerator, denominator });

/** Soft stripes that move by a pixel per frame. */
function paint(index: number, { width, height }: Size): Frame {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const x = (i % width) - index;
    rgb[3 * i] = 128 + 100 * Math.sin(x / 7);
    rgb[3 * i + 1] = 128 + 60 * Math.sin(Math.floor(i / width) / 5);
    rgb[3 * i + 2] = 90;
  }
  return { index, width, height, rgb };
}

async function encode(file: string, count: number, options: EncoderOptions): Promise<readonly string[]> {
  const encoder = await openEncoder(file, options);
  for (let i = 0; i < count; i++) await encoder.write(paint(i, options.inputSize ?? options));
  await encoder.finish();
  return encoder.notices;
}

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
    await encode(file, 13, { ...size, frameRate, codec });
    const clip = await probeClip(file);
    expect(clip).toMatchObject({ frameCount: 13, frameRate, frameSize: size, variableRate: false });
    expect(await worstDifference(file, size)).toBeLessThan(3);
  });

  test('ProRes is 422 HQ of ten bits, as editors expect it', async () => {
    const file = inFolder('hq.mov');
    await encode(file, 2, { width: 64, height: 48, frameRate: rate(25), codec: 'prores' });
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
    await encode(file, 3, { ...size, frameRate: rate(25), codec });
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
    await encode(file, 2, { ...options, sampleAspect: rate(4, 3) });
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
        await encode(inFolder(name), 1, { ...size, frameRate: rate(25), codec, colour });
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
    await encode(inFolder('new.mov'), 1, { ...size, frameRate: rate(25), codec: 'prores', colour });
    expect((await probeClip(inFolder('new.mov'))).colour).toMatchObject({ transfer: null });
  });

  test('full range stays full range in H.264, and looks the same', async () => {
    const colour = { range: 'pc', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' } as const;
    const size = { width: 96, height: 64 };
    const file = inFolder('full.mp4');
    await encode(file, 2, { ...size, frameRate: rate(25), codec: 'h264', colour });
    expect((await probeClip(file)).colour).toEqual(colour);
    expect(await worstDifference(file, size)).toBeLessThan(3);
  });

  test('an untagged clip stays untagged', async () => {
    const file = inFolder('untagged.mov');
    await encode(file, 2, { width: 64, height: 48, frameRate: rate(25), codec: 'prores' });
    expect((await probeClip(file)).colour).toMatchObject({
      primaries: null,
      transfer: null,
      matrix: null,
    });
  });

  test('frames of the working size come out at the clip size', async () => {
    const file = inFolder('upscaled.mp4');
    const options = { width: 192, height: 128, frameRate: rate(12), codec: 'h264' } as const;
    await encode(file, 2, { ...options, inputSize: { width: 96, height: 64 } });
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

describe('sound', () => {
  const sine = (seconds: number) => ['-f', 'lavfi', '-i', `sine=sample_rate=48000:duration=${seconds}`];
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
  const options = { width: 64, height: 48, frameRate: rate(25), codec: 'h264' } as const;

  test('is copied packet by packet with the whole clip', async () => {
    const source = await makeClip(inFolder('aac.mp4'), [
      ...sine(1),
      ...testPicture('64x48', '25', 25),
      ...[...h264, '-c:a', 'aac'],
    ]);
    const clip = await probeClip(source);
    const audioFrom = { clip, startSeconds: 0, endSeconds: clip.durationSeconds };
    for (const [name, codec] of [
      ['copy.mp4', 'h264'],
      ['copy.mov', 'prores'],
    ] as const) {
      const notices = await encode(inFolder(name), 25, { ...options, codec, audioFrom });
      expect(notices).toEqual([]);
      expect(await soundPackets(inFolder(name))).toEqual(await soundPackets(source));
    }
  });

  /** 20 s in one group of pictures, loud for the first 12 s and silent from then on. */
  async function loudThenSilent(name: string, sound: readonly string[]): Promise<ClipInfo> {
    const noise = "aevalsrc='if(lt(t,12),0.5*sin(2*PI*440*t),0)':s=48000:d=20";
    const args = ['-f', 'lavfi', '-i', noise, ...testPicture('64x48', '25', 500)];
    return probeClip(await makeClip(inFolder(name), [...args, ...h264, '-g', '500', ...sound]));
  }

  test.each([
    [
      'aac',
      'mp4',
      'h264',
      'mp4',
      'aac',
      "The clip's aac sound was cut between its packets, up to 0.05 s inside the range.",
    ],
    [
      'aac',
      'ts',
      'h264',
      'mp4',
      'aac',
      "The clip's aac sound was cut between its packets, up to 0.05 s inside the range.",
    ],
    [
      'aac',
      'mkv',
      'prores',
      'mov',
      'pcm_s24le',
      "The clip's aac sound was converted to 24-bit PCM, so that it could be cut exactly.",
    ],
    ['pcm_s16le', 'mov', 'prores', 'mov', 'pcm_s16le', null],
    ['alac', 'mov', 'h264', 'mp4', 'alac', null],
    [
      'libopus',
      'mkv',
      'h264',
      'mp4',
      'opus',
      "The clip's opus sound was cut between its packets, up to 0.05 s inside the range.",
    ],
    [
      'libopus',
      'mkv',
      'prores',
      'mov',
      'pcm_s24le',
      "The clip's opus sound does not fit into MOV; it was converted to 24-bit PCM.",
    ],
  ] as const)(
    'that is cut out keeps nothing from outside the range: %s in .%s to %s in .%s',
    async (sound, ending, codec, out, kept, notice) => {
      const clip = await loudThenSilent(`loud-${sound}.${ending}`, ['-c:a', sound]);
      const audioFrom = { clip, startSeconds: 12.2, endSeconds: 13.2 };
      const file = inFolder(`silent-${sound}-${ending}.${out}`);
      const notices = await encode(file, 25, { ...options, codec, audioFrom });
      expect(notices).toEqual(notice === null ? [] : [notice]);
      expect((await probeClip(file)).audio[0]?.codec).toBe(kept);
      const samples = await storedSamples(file);
      expect(Math.max(...samples.map(Math.abs))).toBeLessThan(0.01);
      expect(samples.length / 48_000).toBeLessThanOrEqual(1);
      expect(samples.length / 48_000).toBeGreaterThan(notice?.includes('packets') ? 0.85 : 0.999);
    },
  );

  test('of PCM is cut to the sample, and every sample is the one of the clip', async () => {
    const noise = "aevalsrc='random(0)-0.5':s=48000:d=4";
    const args = ['-f', 'lavfi', '-i', noise, ...testPicture('64x48', '25', 100), ...h264];
    const file = await makeClip(inFolder('noise.mov'), [...args, '-c:a', 'pcm_s24le']);
    const audioFrom = { clip: await probeClip(file), startSeconds: 1.4, endSeconds: 2.2 };
    await encode(inFolder('noise-cut.mov'), 20, { ...options, audioFrom });
    const [all, cut] = [await storedSamples(file), await storedSamples(inFolder('noise-cut.mov'))];
    expect(cut).toEqual(all.slice(1.4 * 48_000, 2.2 * 48_000));
  });

  test('that begins later than the range begins later in the result', async () => {
    const late = ['-itsoffset', '1', ...sine(2), ...testPicture('64x48', '25', 75), ...h264];
    const file = await makeClip(inFolder('late.mov'), [...late, '-c:a', 'pcm_s16le']);
    const audioFrom = { clip: await probeClip(file), startSeconds: 0.4, endSeconds: 2 };
    await encode(inFolder('late-cut.mov'), 40, { ...options, audioFrom });
    const samples = await storedSamples(inFolder('late-cut.mov'));
    expect(samples.length).toBe(1.6 * 48_000);
    expect(samples.findIndex((sample) => sample !== 0) / 48_000).toBeCloseTo(0.6, 2);
  });

  test('that is longer than the picture ends with it', async () => {
    const args = [...sine(3), ...testPicture('64x48', '25', 25), ...h264, '-c:a', 'aac'];
    const clip = await probeClip(await makeClip(inFolder('longer.mp4'), args));
    const audioFrom = { clip, startSeconds: 0, endSeconds: clip.durationSeconds };
    await encode(inFolder('ends.mp4'), 25, { ...options, audioFrom });
    expect((await storedSamples(inFolder('ends.mp4'))).length / 48_000).toBeLessThan(1.05);
  });

  test('that the container cannot hold is converted, and said so', async () => {
    const source = await makeClip(inFolder('opus.mkv'), [
      ...sine(1),
      ...testPicture('64x48', '25', 25),
      ...[...h264, '-c:a', 'libopus'],
    ]);
    const clip = await probeClip(source);
    const audioFrom = { clip, startSeconds: 0, endSeconds: clip.durationSeconds };
    const notices = await encode(inFolder('opus.mov'), 25, {
      ...options,
      codec: 'prores',
      audioFrom,
    });
    expect(notices).toEqual(["The clip's opus sound does not fit into MOV; it was converted to 24-bit PCM."]);
    expect((await probeClip(inFolder('opus.mov'))).audio[0]?.codec).toBe('pcm_s24le');
  });

  test('tracks that nothing can read are left out, and said so, before the work', async () => {
    const args = [...sine(1), ...sine(1), ...testPicture('64x48', '25', 25), ...h264];
    const maps = ['-map', '0:a', '-map', '1:a', '-map', '2:v', '-t', '1', '-c:a:0', 'pcm_s16be', '-c:a:1', 'pcm_s16le'];
    const file = await makeClip(inFolder('odd.mov'), [...args, ...maps]);
    const bytes = await readFile(file);
    bytes.write('fpcm', bytes.indexOf('sowt'), 'latin1');
    await writeFile(file, bytes);
    const clip = await probeClip(file);
    const audioFrom = { clip, startSeconds: 0, endSeconds: 1 };
    const settings = { ...options, codec: 'prores', audioFrom } as const;
    await expect(encode(inFolder('odd-out.mov'), 25, settings)).rejects.toMatchObject({
      code: 'ffmpeg-failed',
    });
    await mkdir(inFolder('rehearsal'));
    const chosen = await rehearseEncoder(inFolder('rehearsal/out.mov'), settings);
    expect(await readdir(inFolder('rehearsal'))).toEqual([]);
    expect(await encode(inFolder('odd-out.mov'), 25, chosen)).toEqual([
      "The clip's fpcm sound cannot be read by this FFmpeg; the result is without it.",
    ]);
    const result = await probeClip(inFolder('odd-out.mov'));
    expect(result.audio.map(({ codec }) => codec)).toEqual(['pcm_s16be']);
  });

  test('what the encoder cannot do comes out before the work', async () => {
    const clip = await probeClip(
      await makeClip(inFolder('fine.mp4'), [...sine(1), ...testPicture('64x48', '25', 25), ...h264]),
    );
    const audioFrom = { clip, startSeconds: 0, endSeconds: 1 };
    const impossible = {
      ...options,
      width: 20_000,
      inputSize: { width: 64, height: 48 },
      audioFrom,
    };
    await expect(rehearseEncoder(inFolder('never.mp4'), impossible)).rejects.toMatchObject({
      code: 'ffmpeg-failed',
    });
  });

  /** All samples that the file holds, also those that an edit list hides, -1..1. One channel. */
  async function storedSamples(file: string): Promise<number[]> {
    const raw = await makeClip(`${file}.f32`, [
      '-ignore_editlist',
      '1',
      '-flags2',
      '-skip_manual',
      '-i',
      file,
      '-map',
      '0:a:0',
      '-f',
      'f32le',
    ]);
    const bytes = await readFile(raw);
    return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
  }
});

describe('failures leave nothing behind', () => {
  const size = { width: 64, height: 48 };
  const options = { ...size, frameRate: rate(25), codec: 'h264' } as const;

  test('the ending must fit the codec', async () => {
    await expect(openEncoder(inFolder('a.mp4'), { ...options, codec: 'prores' })).rejects.toMatchObject({
      code: 'invalid-request',
      message: `The output must end in .mov for ProRes, got "${inFolder('a.mp4')}".`,
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
      'openEncoder: frames must be 64 x 48, got 32 x 48 in 4608 bytes.',
    );
    expect(await readdir(inFolder('wrong'))).toEqual([]);
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
