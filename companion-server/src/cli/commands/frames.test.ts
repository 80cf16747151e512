import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeFrames } from '../../media/decode/frames.ts';
import { probeClip } from '../../media/probe/probe.ts';
import { collect, makeClip, makeFolder, readPixels, testPicture } from '../../media/testing/clips.ts';
import { readKeyframes } from '../keyframe-options.ts';
import { parseArguments } from '../options.ts';
import type { CommandContext } from '../command.ts';
import { framesCommand } from './frames.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let clipPath: string;
beforeAll(async () => {
  folder = await makeFolder();
  clipPath = await makeClip(path.join(folder.path, 'clip.mkv'), [...testPicture('64x48', '10', 4), '-c:v', 'ffv1']);
});
afterAll(() => folder.remove());

async function run(...args: string[]): Promise<string> {
  let written = '';
  const stdout = { write: (text: string) => (written += text), isTTY: false, columns: 80 };
  const context = { stdout, signal: new AbortController().signal } as unknown as CommandContext;
  await framesCommand.run(parseArguments(args, framesCommand.options), context);
  return written;
}

test('frames are written as pictures that are exactly the frames, and can be given back', async () => {
  const { files } = JSON.parse(await run(clipPath, '--frames', '2,0', '--json')) as { files: string[] };
  expect(files.map((file) => path.basename(file))).toEqual(['frame-0.png', 'frame-2.png']);
  const frames = await collect(decodeFrames(await probeClip(clipPath)));
  for (const [i, index] of [0, 2].entries()) expect((await readPixels(files[i] ?? '')).rgb).toEqual(frames[index]?.rgb);
  const given = await readKeyframes([`2=${files[1] ?? ''}`], () => Promise.resolve(folder.path));
  expect(given.keyframes).toEqual([{ frame: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string }]);
  const [back] = await collect(decodeFrames(await probeClip(given.paths[0] ?? '')));
  expect(back?.rgb).toEqual(frames[2]?.rgb);
});

test('another folder can be named', async () => {
  const out = path.join(folder.path, 'to', 'edit');
  expect(await run(clipPath, '--frames', '1', '--out', out)).toBe(`${path.join(out, 'frame-1.png')}\n`);
});

test.each([
  [[], 'frames takes one clip, got 0.'],
  [['clip.mp4'], '--frames must be up to 1000 frames as in 0,12,23, got nothing.'],
  [['clip.mp4', '--frames', '1,x'], "--frames must be up to 1000 frames as in 0,12,23, got '1,x'."],
])('%j is refused', async (args, message) => {
  await expect(run(...args)).rejects.toThrow(message);
});

test('a frame that the clip has not is refused', async () => {
  await expect(run(clipPath, '--frames', '4')).rejects.toThrow(
    '--frames names frame 4; the clip has 4 frames, 0 to 3.',
  );
});

test.each([
  [['12'], "--keyframe must look like 12=frame-12.png, got '12'."],
  [['x=a.png'], "--keyframe must look like 12=frame-12.png, got 'x=a.png'."],
])('--keyframe %j is refused', async (texts, message) => {
  await expect(readKeyframes(texts, () => Promise.resolve(folder.path))).rejects.toThrow(message);
});
