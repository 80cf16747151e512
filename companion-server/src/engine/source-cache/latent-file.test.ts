import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import { randomTensor } from '../../../../test/run-graph.ts';
import { concatRows, sliceRows } from '../../tensor/tensor.ts';
import { LatentFile, sourceTrajectory } from './latent-file.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-latents-'));
});
afterAll(() => rm(dir, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

const frameDims = [2, 3, 1];
let files = 0;
const create = (frameCount = 6, slots = 2) =>
  LatentFile.create({ path: path.join(dir, `${files++}`), frameCount, frameDims, slots });

describe('a latent file', () => {
  it('returns any frames in any order, whatever the chunks they were written in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(100), { minLength: 1, maxLength: 8 }),
        async (frames, chunk, wanted) => {
          const file = await create(frames);
          const store = file.slot(1);
          const latents = randomTensor([frames, ...frameDims]);
          for (let start = 0; start < frames; start += chunk) {
            await store.write(start, sliceRows(latents, start, Math.min(frames, start + chunk)));
          }
          const indices = wanted.map((index) => index % frames);
          const rows = indices.map((index) => sliceRows(latents, index, index + 1));
          expect(await store.read(indices)).toEqual(concatRows(rows));
          await file.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps its slots apart', async () => {
    const file = await create(2, 3);
    const slots = [randomTensor([2, ...frameDims], 1), randomTensor([2, ...frameDims], 2)];
    const trajectory = sourceTrajectory(file, [801, 401, 1], 0);
    await trajectory.at(1).write(0, slots[0] ?? randomTensor([]));
    await trajectory.at(801).write(0, slots[1] ?? randomTensor([]));
    expect(await file.slot(2).read([0, 1])).toEqual(slots[0]);
    expect(await file.slot(0).read([0, 1])).toEqual(slots[1]);
    expect(() => trajectory.at(601)).toThrow('601 is not in the latent file');
    await file.close();
  });

  it.each([
    ['after the written ones', 5],
    ['before the written ones', 0],
  ])('refuses to read a frame that was never written: %s', async (_, frame) => {
    const file = await create();
    await file.slot(0).write(1, randomTensor([2, ...frameDims]));
    await expect(file.slot(0).read([1, frame])).rejects.toThrow(`frame ${frame} of slot 0 was never written`);
    await file.close();
  });

  it('has no room for frames outside the clip', async () => {
    const file = await create(3);
    await expect(file.slot(0).write(2, randomTensor([2, ...frameDims]))).rejects.toThrow('Frame 3');
    await expect(file.slot(0).read([-1])).rejects.toThrow('Frame -1');
    await expect(file.slot(2).read([0])).rejects.toThrow('slot 2');
    await file.close();
  });

  it('tells its size beforehand', () => {
    expect(LatentFile.sizeBytes({ frameCount: 10, frameDims: [4, 64, 64], slots: 3 })).toBe(4 * 4 * 64 * 64 * 30);
  });
});

describe('a disk', () => {
  it('that takes only a part at a time still gets everything', async () => {
    const file = await create();
    const prototype = await fileHandlePrototype();
    const { write } = prototype;
    vi.spyOn(prototype, 'write').mockImplementation(function (this: Handle, bytes, offset, length, position) {
      return write.call(this, bytes, offset, Math.min(length, 10), position);
    });
    const latents = randomTensor([3, ...frameDims]);
    await file.slot(0).write(2, latents);
    expect(await file.slot(0).read([2, 3, 4])).toEqual(latents);
    await file.close();
  });

  it.runIf(process.platform === 'linux')('that is full is named so', async () => {
    const file = await LatentFile.create({
      path: '/dev/full',
      frameCount: 1,
      frameDims,
      slots: 1,
    });
    await expect(file.slot(0).write(0, randomTensor([1, ...frameDims]))).rejects.toMatchObject({
      code: 'disk-full',
      message: "/dev/full can't grow: the disk is full.",
    });
    await file.close();
  });

  it.each(['EACCES', 'EROFS', 'EPERM'])('that refuses with %s is named so', async (code) => {
    const file = await create();
    const prototype = await fileHandlePrototype();
    vi.spyOn(prototype, 'write').mockRejectedValue(Object.assign(new Error(code), { code }));
    await expect(file.slot(0).write(0, randomTensor([1, ...frameDims]))).rejects.toMatchObject({
      code: 'output-unwritable',
    });
    await file.close();
  });

  it('without the folder is named so', async () => {
    const wanted = path.join(dir, 'missing', 'latents');
    const made = LatentFile.create({ path: wanted, frameCount: 1, frameDims, slots: 1 });
    await expect(made).rejects.toMatchObject({
      code: 'output-unwritable',
      message: `Cannot write "${wanted}": its folder does not exist.`,
    });
  });
});

interface Handle {
  write: (
    this: Handle,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ bytesWritten: number }>;
}

/** What all open files share, so that a test can stand between them and the disk. */
async function fileHandlePrototype(): Promise<Handle> {
  const file = await open(path.join(dir, 'prototype'), 'w');
  await file.close();
  return Object.getPrototypeOf(file) as Handle;
}
