import { appendFile, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKnownClips, type KeptRecords } from './known-clips.ts';
import { probeClip } from './probe.ts';
import { makeClip, makeFolder, testPicture } from '../testing/clips.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => (folder = await makeFolder()));
afterAll(() => folder.remove());

function counting(records?: KeptRecords) {
  const probed: string[] = [];
  const clips = createKnownClips((file) => {
    probed.push(path.basename(file));
    return probeClip(file);
  }, records);
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

/** Records of what lies in the folder `clips`, as a server keeps them. */
function createRecords() {
  const texts = new Map<string, string>();
  const isClip = (file: string): boolean => path.basename(path.dirname(file)) === 'clips';
  const records: KeptRecords = {
    read: (file) => texts.get(file) ?? null,
    write(file, toText) {
      if (isClip(file)) texts.set(file, toText());
      return isClip(file);
    },
  };
  return { records, texts };
}

async function makeKeptClip(name: string): Promise<string> {
  await mkdir(path.join(folder.path, 'clips'), { recursive: true });
  return makeClip(path.join(folder.path, 'clips', name), testPicture('64x48', '25', 3));
}

test('what was found in a clip is known to the next process, down to the times of its frames', async () => {
  const { records } = createRecords();
  const file = await makeKeptClip('kept.mkv');
  const found = await counting(records).clips.infoOf(file);
  const { clips, probed } = counting(records);
  expect(await clips.infoOf(file)).toEqual(found);
  expect(found.frameTimes).toHaveLength(3);
  expect(probed).toEqual([]);
});

test('a clip that was probed on its way is kept when it is asked for in its place', async () => {
  const { records, texts } = createRecords();
  const { clips, probed } = counting(records);
  const part = await makeClip(path.join(folder.path, 'upload.mkv'), testPicture('64x48', '25', 3));
  await clips.infoOf(part);
  expect(texts.size).toBe(0);
  await mkdir(path.join(folder.path, 'clips'), { recursive: true });
  const file = path.join(folder.path, 'clips', 'upload.mkv');
  await rename(part, file);
  await clips.infoOf(file);
  expect([...texts.keys()]).toEqual([file]);
  expect(probed).toEqual(['upload.mkv']);
});

test.each([
  ['is of another version', (text: string) => text.replace(/"version":\d+/, '"version":0')],
  ['is of the file as it was', (text: string) => text.replace(/"fileKey":"\d+/, '"fileKey":"1')],
  ['is cut short', (text: string) => text.slice(0, -1)],
  ['is something else', () => 'null'],
  ['has no clip', (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), clip: undefined })],
])('a record that %s is not believed: the clip is probed, and kept again', async (how, damage) => {
  const { records, texts } = createRecords();
  const file = await makeKeptClip(`${how}.mkv`);
  const found = await counting(records).clips.infoOf(file);
  const whole = texts.get(file) ?? '';
  texts.set(file, damage(whole));
  expect(texts.get(file)).not.toBe(whole);
  const { clips, probed } = counting(records);
  expect(await clips.infoOf(file)).toEqual(found);
  expect(probed).toHaveLength(1);
  expect(texts.get(file)).toBe(whole);
});
