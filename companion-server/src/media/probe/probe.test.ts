import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeClip } from './probe.ts';
import { makeClip, makeFolder, testPicture } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

describe('probeClip', () => {
  test.each([
    ['24000/1001', 'mp4', 24_000, 1001],
    ['25', 'mkv', 25, 1],
    ['30000/1001', 'mkv', 30_000, 1001],
    ['50', 'mov', 50, 1],
    ['60000/1001', 'mp4', 60_000, 1001],
    ['12', 'avi', 12, 1],
  ])('a rate of %s in .%s and the count of frames are exact', async (rate, ending, numerator, denominator) => {
    const file = inFolder(`rate-${numerator}.${ending}`);
    const codec = ending === 'avi' ? ['-c:v', 'mpeg4'] : h264;
    const clip = await probeClip(await makeClip(file, [...testPicture('64x48', rate, 31), ...codec]));
    expect(clip.frameRate).toEqual({ numerator, denominator });
    expect(clip.frameCount).toBe(31);
    expect(clip.durationSeconds).toBeCloseTo((31 * denominator) / numerator, 9);
    expect(clip.variableRate).toBe(false);
    expect(clip.notices).toEqual([]);
  });

  test('hidden reference frames are not counted', async () => {
    const args = [...testPicture('64x48', '25', 40), '-c:v', 'libvpx', '-auto-alt-ref', '1', '-b:v', '200k'];
    const clip = await probeClip(await makeClip(inFolder('hidden.webm'), args));
    expect(clip.frameCount).toBe(40);
  });

  test('one frame is a clip', async () => {
    const clip = await probeClip(await makeClip(inFolder('one.mp4'), [...testPicture('64x48', '25', 1), ...h264]));
    expect(clip.frameCount).toBe(1);
    expect(clip.frameRate).toEqual({ numerator: 25, denominator: 1 });
  });

  test('a varying rate is made constant and said so', async () => {
    const drop = ['-vf', "select='lt(mod(n,7),5)'", '-vsync', 'vfr'];
    const args = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30:duration=2', ...drop, ...h264];
    const clip = await probeClip(await makeClip(inFolder('vfr.mp4'), args));
    expect(clip.variableRate).toBe(true);
    expect(clip.frameRate).toEqual({ numerator: 30, denominator: 1 });
    // The last frame of the 60 is kept by the pattern, so the length is that of all 60.
    expect(clip.frameTimes?.length).toBe(44);
    expect(clip.frameCount).toBe(60);
    expect(clip.notices).toEqual(["The clip's frame rate varies; it was read at a constant 30 frames per second."]);
  });

  test('ten bits, colour tags and sound are seen', async () => {
    const tags = [
      ...['-vf', 'setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc'],
      ...['-color_primaries', 'bt2020', '-color_trc', 'arib-std-b67', '-colorspace', 'bt2020nc'],
    ];
    const args = [
      ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=1'],
      ...testPicture('64x48', '25', 10),
      ...['-c:v', 'prores_ks', '-pix_fmt', 'yuv422p10le', ...tags, '-movflags', 'write_colr'],
      ...['-c:a', 'pcm_s24le', '-shortest'],
    ];
    const clip = await probeClip(await makeClip(inFolder('ten.mov'), args));
    expect(clip.pixelFormat).toBe('yuv422p10le');
    expect(clip.bitDepth).toBe(10);
    expect(clip.colour).toMatchObject({
      primaries: 'bt2020',
      transfer: 'arib-std-b67',
      matrix: 'bt2020nc',
    });
    expect(clip.audio).toEqual([{ codec: 'pcm_s24le', channels: 1, sampleRate: 48_000 }]);
    expect(clip.notices).toEqual([expect.stringContaining('HDR') as string]);
  });
});

describe('probeClip refuses, and says why,', () => {
  test('a file that is not there', async () => {
    await expect(probeClip(inFolder('none.mp4'))).rejects.toMatchObject({
      code: 'clip-missing',
      message: `There is no clip at "${inFolder('none.mp4')}".`,
    });
  });

  test('a folder', async () => {
    await expect(probeClip(folder.path)).rejects.toMatchObject({ code: 'clip-unreadable' });
  });

  test('a file of zero bytes', async () => {
    await writeFile(inFolder('zero.mp4'), '');
    await expect(probeClip(inFolder('zero.mp4'))).rejects.toMatchObject({ code: 'clip-empty' });
  });

  test('a text file, whatever its ending', async () => {
    await writeFile(inFolder('text.mp4'), 'This is not a video.\n'.repeat(50));
    await expect(probeClip(inFolder('text.mp4'))).rejects.toMatchObject({
      name: 'FfmpegError',
      code: 'clip-unreadable',
      exitCode: 1,
    });
  });

  test('sound without a picture', async () => {
    const file = await makeClip(inFolder('sound.m4a'), ['-f', 'lavfi', '-i', 'sine=duration=0.2']);
    await expect(probeClip(file)).rejects.toMatchObject({
      code: 'clip-empty',
      message: `"${file}" has sound but no picture.`,
    });
  });

  test('a clip that is cut off, with its index in front or at the end', async () => {
    const args = [...testPicture('128x96', '25', 40), ...h264];
    const front = await makeClip(inFolder('front.mp4'), [...args, '-movflags', '+faststart']);
    const end = await makeClip(inFolder('end.mp4'), args);
    for (const file of [front, end]) {
      const { length } = await readFile(file);
      await truncate(file, Math.floor(length * 0.6));
      await expect(probeClip(file)).rejects.toMatchObject({ code: 'clip-unreadable' });
    }
  });

  test('a playlist that points at another file', async () => {
    const target = await makeClip(inFolder('target.ts'), [...testPicture('64x48', '25', 5), ...h264]);
    await copyFile(target, inFolder('target2.ts'));
    const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${target}\n#EXT-X-ENDLIST\n`;
    await writeFile(inFolder('list.mp4'), playlist);
    await writeFile(inFolder('list.ffconcat'), `ffconcat version 1.0\nfile target2.ts\n`);
    for (const name of ['list.mp4', 'list.ffconcat']) {
      await expect(probeClip(inFolder(name))).rejects.toMatchObject({ code: 'clip-unreadable' });
    }
  });

  test('work that was canceled before it began', async () => {
    await expect(probeClip(inFolder('one.mp4'), AbortSignal.abort())).rejects.toMatchObject({
      name: 'CanceledError',
    });
  });
});
