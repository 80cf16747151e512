// The sound of a clip when its frames are encoded.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClipInfo } from '../probe/clip-info.ts';
import { rehearseEncoder } from './encode.ts';
import { probeClip } from '../probe/probe.ts';
import { makeClip, makeFolder, soundPackets, testPicture } from '../testing/clips.ts';
import { encodeFrames, rate } from '../testing/encode-frames.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);

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
      const notices = await encodeFrames(inFolder(name), 25, { ...options, codec, audioFrom });
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
      const notices = await encodeFrames(file, 25, { ...options, codec, audioFrom });
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
    await encodeFrames(inFolder('noise-cut.mov'), 20, { ...options, audioFrom });
    const [all, cut] = [await storedSamples(file), await storedSamples(inFolder('noise-cut.mov'))];
    expect(cut).toEqual(all.slice(1.4 * 48_000, 2.2 * 48_000));
  });

  test('that begins later than the range begins later in the result', async () => {
    const late = ['-itsoffset', '1', ...sine(2), ...testPicture('64x48', '25', 75), ...h264];
    const file = await makeClip(inFolder('late.mov'), [...late, '-c:a', 'pcm_s16le']);
    const audioFrom = { clip: await probeClip(file), startSeconds: 0.4, endSeconds: 2 };
    await encodeFrames(inFolder('late-cut.mov'), 40, { ...options, audioFrom });
    const samples = await storedSamples(inFolder('late-cut.mov'));
    expect(samples.length).toBe(1.6 * 48_000);
    expect(samples.findIndex((sample) => sample !== 0) / 48_000).toBeCloseTo(0.6, 2);
  });

  test('that is longer than the picture ends with it', async () => {
    const args = [...sine(3), ...testPicture('64x48', '25', 25), ...h264, '-c:a', 'aac'];
    const clip = await probeClip(await makeClip(inFolder('longer.mp4'), args));
    const audioFrom = { clip, startSeconds: 0, endSeconds: clip.durationSeconds };
    await encodeFrames(inFolder('ends.mp4'), 25, { ...options, audioFrom });
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
    const notices = await encodeFrames(inFolder('opus.mov'), 25, {
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
    await expect(encodeFrames(inFolder('odd-out.mov'), 25, settings)).rejects.toMatchObject({
      code: 'ffmpeg-failed',
    });
    await mkdir(inFolder('rehearsal'));
    const chosen = await rehearseEncoder(inFolder('rehearsal/out.mov'), settings);
    expect(await readdir(inFolder('rehearsal'))).toEqual([]);
    expect(await encodeFrames(inFolder('odd-out.mov'), 25, chosen)).toEqual([
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
