import { appendFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKnownClips } from './known-clips.ts';
import { probeClip } from './probe.ts';
import { makeClip, makeFolder, testPicture } from './testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

function counting() {
  const probed: string[] = [];
  const clips = createKnownClips((file) => {
    probed.push(path.basename(file));
    return probeClip(file);
  });
  return { clips, probed };
}

test('a clip is probed once, however many ask at once and under which name', async () => {
  const { clips, probed } = counting();
  const [part, whole] = ['part', 'whole.mkv'].map((name) => path.join(folder.path, name));
  await makeClip(`${part}.mkv`, testPicture('64x48', '25', 3));
  const infos = await Promise.all([1, 2, 3].map(() => clips.infoOf(`${part}.mkv`)));
  expect(infos.map(({ frameCount }) => frameCount)).toEqual([3, 3, 3]);
  await rename(`${part}.mkv`, whole ?? '');
  expect(await clips.infoOf(whole ?? '')).toMatchObject({ path: whole, frameCount: 3 });
  expect(probed).toEqual(['part.mkv']);
});

test('a file that has changed is probed again', async () => {
  const { clips, probed } = counting();
  const file = await makeClip(path.join(folder.path, 'grows.mkv'), testPicture('64x48', '25', 3));
  await clips.infoOf(file);
  await appendFile(file, 'x');
  await clips.infoOf(file);
  expect(probed).toHaveLength(2);
});

test('a failure is not remembered', async () => {
  const { clips } = counting();
  const file = path.join(folder.path, 'later.mkv');
  await expect(clips.infoOf(file)).rejects.toMatchObject({ code: 'clip-missing' });
  await makeClip(file, testPicture('64x48', '25', 2));
  expect(await clips.infoOf(file)).toMatchObject({ frameCount: 2 });
});
