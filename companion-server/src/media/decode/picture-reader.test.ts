import { expect, test } from 'vitest';
import { createDeferred } from '../../../../test/deferred.ts';
import type { ClipInfo } from '../probe/clip-info.ts';
import { createPictureReader } from './picture-reader.ts';

const picture = new Uint8Array([1]);
const infoOf = (path: string) => ({ path }) as ClipInfo;

test('a clip is probed once for all its pictures, and again when that failed', async () => {
  const probes: string[] = [];
  const { readPicture: reader } = createPictureReader({
    probe: (path) => {
      probes.push(path);
      return probes.length === 1 ? Promise.reject(new Error('busy')) : Promise.resolve(infoOf(path));
    },
    read: () => Promise.resolve(picture),
  });
  await expect(reader('a', 0, 64)).rejects.toThrow('busy');
  await reader('a', 0, 64);
  await Promise.all([reader('a', 1, 64), reader('a', 2, 64)]);
  expect(probes).toEqual(['a', 'a']);
});

test('only the clips asked for last are remembered', async () => {
  const probes: string[] = [];
  const { readPicture: reader } = createPictureReader({
    probe: (path) => (probes.push(path), Promise.resolve(infoOf(path))),
    read: () => Promise.resolve(picture),
  });
  const many = Array.from({ length: 17 }, (_, i) => `clip ${i}`);
  for (const path of many) await reader(path, 0, 64);
  await reader('clip 16', 1, 64);
  expect(probes).toHaveLength(17);
  await reader('clip 0', 1, 64);
  expect(probes).toHaveLength(18);
});

test('four pictures are decoded at a time, the others in the order of their arrival, whatever fails', async () => {
  const started: number[] = [];
  const ends = Array.from({ length: 6 }, () => createDeferred<Uint8Array>());
  const { readPicture: reader } = createPictureReader({
    probe: (path) => Promise.resolve(infoOf(path)),
    read: (_clip, frameIndex) => {
      started.push(frameIndex);
      return ends[frameIndex]?.promise ?? Promise.reject(new Error('no such frame'));
    },
  });
  const asked = ends.map((_, index) => reader('a', index, 64));
  const settled = Promise.allSettled(asked);
  await expect.poll(() => started).toEqual([0, 1, 2, 3]);
  ends[1]?.reject(new Error('damaged'));
  await expect.poll(() => started).toEqual([0, 1, 2, 3, 4]);
  for (const end of ends) end.resolve(picture);
  const states = (await settled).map(({ status }) => status);
  expect(states).toEqual(['fulfilled', 'rejected', ...Array<string>(4).fill('fulfilled')]);
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
});
