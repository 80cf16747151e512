// What a person reads when a clip cannot be edited, or when something of it gets lost.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explainFailure } from '../ffmpeg/ffmpeg-error.ts';
import { probeClip } from './probe.ts';
import { makeClip, makeFolder, testPicture } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];

async function messageOf(file: string): Promise<string> {
  const error: unknown = await probeClip(file).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'clip-unreadable' });
  return (error as Error).message;
}

describe('a refusal names its reason:', () => {
  test.each(['vvc1', 'dav1'])('a codec that this FFmpeg cannot decode (%s)', async (tag) => {
    const file = await makeClip(inFolder(`${tag}.mp4`), [...testPicture('64x48', '25', 5), ...h264]);
    const bytes = await readFile(file);
    bytes.write(tag, bytes.indexOf('avc1', bytes.indexOf('stsd')), 'latin1');
    await writeFile(file, bytes);
    expect(await messageOf(file)).toContain(`FFmpeg cannot decode its codec (${tag})`);
  });

  test('a protected clip', async () => {
    const key = [
      '-encryption_key',
      '76a6c65c5ea762046bd749a2e632ccbb',
      '-encryption_kid',
      'a7e61c373e219033c21091fa607bf3b8',
    ];
    const args = [...testPicture('64x48', '25', 25), ...h264, '-encryption_scheme', 'cenc-aes-ctr', ...key];
    expect(await messageOf(await makeClip(inFolder('drm.mp4'), args))).toContain('is protected');
  });

  test.each([
    ['list.m3u8', '#EXTM3U\n#EXTINF:1,\na.ts\n'],
    ['list.mp4', 'ffconcat version 1.0\nfile a.mp4\n'],
    ['list.mpd', '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'],
  ])('a playlist (%s)', async (name, text) => {
    await writeFile(inFolder(name), text);
    expect(await messageOf(inFolder(name))).toContain('is a playlist');
  });

  test.each(['png', 'jpg', 'bmp', 'tiff', 'webp'])('a picture (.%s)', async (ending) => {
    const file = await makeClip(inFolder(`still.${ending}`), testPicture('64x48', '25', 1));
    expect(await messageOf(file)).toContain('is a picture');
  });

  test("never FFmpeg's remark that it repeats itself", () => {
    const stderrTail = '[h264 @ 0x1] no frame!\n    Last message repeated 3 times\n';
    const run = { exitCode: 1, stderrTail, command: 'ffmpeg' };
    expect(explainFailure('read', 'a.mp4', run).message).toMatch(/no frame!$/);
  });

  test.each(['Something else', 'Unknown encoder libx264'])(
    'with a hint when a result cannot be written: %s',
    (stderrTail) => {
      const run = { exitCode: 1, stderrTail, command: 'ffmpeg' };
      const error = explainFailure('write', 'a.mp4', run);
      expect(error).toMatchObject({ code: 'ffmpeg-failed', hint: expect.any(String) as string });
    },
  );
});

describe('what gets lost is told:', () => {
  const noticesOf = async (file: string) => (await probeClip(file)).notices.join('\n');

  test('a second video track', async () => {
    const args = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:d=0.2', '-f', 'lavfi', '-i', 'testsrc=s=64x48:d=0.2'];
    const file = await makeClip(inFolder('two.mp4'), [...args, '-map', '0', '-map', '1', ...h264]);
    expect(await noticesOf(file)).toContain('The clip has 2 video tracks; the first one is edited.');
  });

  test.each([
    ['qtrle', 'argb'],
    ['prores_ks', 'yuva444p10le'],
  ])('transparency (%s)', async (codec, format) => {
    const args = [...testPicture('64x48', '25', 2), '-c:v', codec, '-pix_fmt', format];
    expect((await probeClip(await makeClip(inFolder(`${codec}.mov`), args))).hasAlpha).toBe(true);
  });

  test('transparency of VP9, which its pixel format does not tell', async () => {
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=64x48:d=0.2,format=yuva420p'];
    const file = await makeClip(inFolder('alpha.webm'), [...picture, '-c:v', 'libvpx-vp9']);
    expect((await probeClip(file)).hasAlpha).toBe(true);
  });

  test('subtitles', async () => {
    await writeFile(inFolder('a.srt'), '1\n00:00:00,000 --> 00:00:00,100\nHello\n');
    const args = ['-i', inFolder('a.srt'), ...testPicture('64x48', '25', 5), ...h264];
    const file = await makeClip(inFolder('titles.mkv'), [...args, '-map', '1', '-map', '0']);
    expect(await noticesOf(file)).toContain('subtitles');
  });

  test('the description of an HDR display', async () => {
    const hdr =
      'log-level=none:hdr10=1:repeat-headers=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400';
    const args = [...testPicture('64x48', '25', 3), '-c:v', 'libx265', '-pix_fmt', 'yuv420p10le'];
    const file = await makeClip(inFolder('hdr.mkv'), [...args, '-x265-params', hdr]);
    expect((await probeClip(file)).hdr).toMatchObject({
      display: { green: [13_250, 34_500], mostLuminance: 10_000_000, leastLuminance: 1 },
      light: { mostContent: 1000, mostAverage: 400 },
    });
  });

  test('chapters', async () => {
    const chapter = (start: number, end: number) => `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${end}\ntitle=x\n`;
    await writeFile(inFolder('chapters.txt'), `;FFMETADATA1\n${chapter(0, 100)}${chapter(100, 200)}`);
    const args = [
      '-i',
      inFolder('chapters.txt'),
      ...testPicture('64x48', '25', 5),
      ...h264,
      '-map',
      '1',
      '-map_chapters',
      '0',
    ];
    expect(await noticesOf(await makeClip(inFolder('chapters.mkv'), args))).toContain('chapters');
  });

  test('nothing of an ordinary clip', async () => {
    const file = await makeClip(inFolder('plain.mp4'), [...testPicture('64x48', '25', 3), ...h264]);
    expect((await probeClip(file)).notices).toEqual([]);
  });
});
