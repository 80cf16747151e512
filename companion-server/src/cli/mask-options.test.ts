import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256OfFile } from '../files/sha256.ts';
import { probeClip } from '../media/probe/probe.ts';
import { makeClip, makeFolder, testPicture } from '../media/testing/clips.ts';
import { editOptions } from './edit-options.ts';
import { readMask } from './mask-options.ts';
import { parseArguments } from './options.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let clipPath: string;
let picture: string;
beforeAll(async () => {
  folder = await makeFolder();
  clipPath = await makeClip(path.join(folder.path, 'clip.mkv'), [...testPicture('64x48', '10', 2), '-c:v', 'ffv1']);
  picture = await makeClip(path.join(folder.path, 'painted.png'), testPicture('64x48', '10', 1));
});
afterAll(() => folder.remove());

const read = (...args: string[]) =>
  readMask(parseArguments(args, editOptions).values, clipPath, () => Promise.resolve(folder.path));
const edge = { follows: true, invert: false, grow: 0, feather: 0, asAlpha: false };

describe('the mask that options make', () => {
  test('is none without them', async () => {
    expect(await read()).toBeNull();
  });

  test('has the shapes in their order, on the frame that is named', async () => {
    const shapes = ['ellipse:0.2,0.3,0.6,0.9', '-brush:0.05,0.2,0.3,0.8,0.3'].flatMap((one) => [`--mask-shape=${one}`]);
    expect(
      await read(...shapes, '--mask-frame', '3', '--mask-still', '--mask-invert', '--grow=-2', '--feather', '4'),
    ).toEqual({
      mask: {
        drawn: [
          {
            frame: 3,
            shapes: [
              { kind: 'ellipse', points: [0.2, 0.3, 0.6, 0.9], erases: false },
              { kind: 'brush', radius: 0.05, points: [0.2, 0.3, 0.8, 0.3], erases: true },
            ],
          },
        ],
        ...{ follows: false, invert: true, grow: -2, feather: 4, asAlpha: false },
      },
      mattePath: null,
    });
  });

  test('is a video by its hash, or a picture as a clip of one frame', async () => {
    const sha256 = await sha256OfFile(clipPath);
    const video = await read('--mask', clipPath);
    expect(video).toEqual({ mask: { matte: { sha256, channel: 'luma', frame: 0 }, ...edge }, mattePath: clipPath });
    const painted = await read('--mask', picture);
    const { mattePath = null } = painted ?? {};
    if (mattePath === null) throw new Error('There is no matte.');
    expect(painted?.mask.matte?.sha256).toBe(await sha256OfFile(mattePath));
    expect(await probeClip(mattePath)).toMatchObject({ frameCount: 1, frameSize: { width: 64, height: 48 } });
  });

  test("is the clip's own alpha", async () => {
    const { mask, mattePath } = (await read('--mask-alpha')) ?? {};
    expect([mask?.matte?.channel, mattePath]).toEqual(['alpha', clipPath]);
  });

  test('names what the words of the source prompt say', async () => {
    expect(await read('--mask-words', 'the Wolf', '--source-prompt', 'there is the wolf', '--feather', '2')).toEqual({
      mask: { words: 'the Wolf', ...edge, feather: 2 },
      mattePath: null,
    });
  });

  test.each([
    [
      ['--mask-words', 'the cat', '--source-prompt', 'a wolf'],
      '--mask-words must be in the source prompt, "a wolf", got "the cat".',
    ],
    [['--mask-words', 'wolf'], '--mask-words must be in the source prompt, "", got "wolf".'],
    [['--mask-words', 'wolf', '--mask', 'a.mov'], '--mask-words cannot be used together with another mask.'],
    [['--feather', '3'], '--feather needs a mask.'],
    [['--mask-invert'], '--mask-invert needs a mask.'],
    [['--mask-shape', 'star:0,1'], "--mask-shape must be one of rectangle, ellipse, polygon, brush, got 'star'."],
    [['--mask-shape', 'ellipse'], "--mask-shape must look like ellipse:0.2,0.3,0.6,0.9, got 'ellipse'."],
    [['--mask-shape', 'ellipse:0,a'], "--mask-shape must look like ellipse:0.2,0.3,0.6,0.9, got 'ellipse:0,a'."],
    [
      ['--mask-shape', 'ellipse:0,1'],
      '--mask-shape must have exactly 4 numbers, two for each point of a ellipse, got 2.',
    ],
    [['--mask-shape', 'ellipse:0,0,1,1', '--grow', '900'], '--grow must be between -500 and 500, got 900.'],
    [['--mask-shape', 'ellipse:0,0,1,1', '--mask-frame=-1'], '--mask-frame must be between'],
    [['--mask-shape', 'ellipse:0,0,1,1', '--mask', 'a.mov'], '--mask-shape cannot be used together with --mask'],
    [['--mask', 'is-not-there.png'], '--mask names a file that cannot be read'],
  ])('is refused by the name of the option, case %#', async (args, message) => {
    await expect(read(...args)).rejects.toThrow(message);
  });

  test('is refused for a picture that cannot be decoded', async () => {
    const broken = path.join(folder.path, 'broken.png');
    await writeFile(broken, Buffer.from('\x89PNG\r\n\x1a\nnothing', 'latin1'));
    await expect(read('--mask', broken)).rejects.toMatchObject({ code: 'clip-unreadable' });
  });
});
