import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeFrames } from '../../companion-server/src/media/decode/frames.ts';
import { makeClip, makeFolder, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { judgeClip } from './judge-clip.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

const inFolder = (name: string) => path.join(folder.path, name);
const sound = ['-f', 'lavfi', '-i', 'sine=duration=2', '-c:a', 'aac'];

test('a clip whose frames, rate and sound come out as they are is right', async () => {
  const file = await makeClip(inFolder('right.mp4'), [
    ...sound.slice(0, 4),
    ...testPicture('64x48', '25', 50),
    ...sound.slice(4),
  ]);
  expect(await judgeClip(file, { folder: folder.path })).toMatchObject({
    verdict: 'right',
    facts: '50 at 25/1',
  });
});

test('a reader that is one frame off is wrong', async () => {
  const file = await makeClip(inFolder('off.mp4'), testPicture('64x48', '25', 50));
  const decode: typeof decodeFrames = (clip, options) => {
    const { startFrame = 0, endFrame = 0 } = options ?? {};
    return shifted(decodeFrames(clip, { ...options, startFrame: startFrame + 1, endFrame: endFrame + 1 }));
  };
  expect(await judgeClip(file, { folder: folder.path, decode })).toEqual({
    verdict: 'wrong',
    facts: '50 at 25/1',
    reason: expect.stringMatching(/^Frame 38 should be number 38 of the file, and is frame 39/) as string,
  });
});

test('a file that is no clip is refused, with the reason', async () => {
  await writeFile(inFolder('text.mp4'), 'text');
  expect(await judgeClip(inFolder('text.mp4'), { folder: folder.path })).toMatchObject({
    verdict: 'refused',
    reason: expect.stringMatching(/^clip-unreadable: /) as string,
  });
});

async function* shifted(frames: ReturnType<typeof decodeFrames>): ReturnType<typeof decodeFrames> {
  for await (const frame of frames) yield { ...frame, index: frame.index - 1 };
}
