import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { CorrespondenceFile, type CorrespondenceLayout } from './correspondence-file.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-correspondences-'));
});
afterAll(() => rm(dir, { recursive: true }));

const layout: CorrespondenceLayout = { frameCount: 6, tokens: 5, startStep: 2, endStep: 5 };
const firstByte = 24;
const files: CorrespondenceFile[] = [];
let names = 0;

/** An empty file of the size that the correspondences need, as the latents before them leave it. */
async function create(change: Partial<CorrespondenceLayout> = {}): Promise<{ file: CorrespondenceFile; name: string }> {
  const name = path.join(dir, `${names++}`);
  const whole = { ...layout, ...change };
  await writeFile(name, 'latents');
  await truncate(name, firstByte + CorrespondenceFile.sizeBytes(whole));
  const file = await CorrespondenceFile.open('r+', { ...whole, path: name, firstByte });
  files.push(file);
  return { file, name };
}
afterAll(() => Promise.all(files.map((file) => file.close())));

/** Of one frame: numbers that say where they belong, up to the last of 16 bits. */
const nearestOf = (step: number, frame: number, tokens = layout.tokens) =>
  Array.from({ length: 2 * tokens }, (_, i) => 65_535 - (100 * (10 * step + frame) + i));
const correspondencesOf = (step: number, frames: readonly number[]) => ({
  nearest: Uint16Array.from(frames.flatMap((frame) => nearestOf(step, frame))),
});

describe('a file of correspondences', () => {
  it('returns any frames of any step in any order, whatever they were written with', async () => {
    const steps = fc.integer({ min: layout.startStep, max: layout.endStep - 1 });
    const frames = fc.uniqueArray(fc.integer({ min: 0, max: layout.frameCount - 1 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(steps, frames), { minLength: 1, maxLength: 6 }), async (writes) => {
        const { file } = await create();
        for (const [step, written] of writes) await file.write(step, written, correspondencesOf(step, written));
        for (const [step, written] of writes) {
          const wanted = written.toReversed();
          expect(await file.read(step, wanted)).toEqual(correspondencesOf(step, wanted));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('leaves what lies before it, and holes where keyframes are', async () => {
    const { file, name } = await create();
    await file.write(2, [1, 3], correspondencesOf(2, [1, 3]));
    await file.sync();
    expect(await file.read(2, [0, 2])).toEqual({ nearest: new Uint16Array(4 * layout.tokens) });
    const bytes = Buffer.alloc(firstByte);
    const raw = await open(name);
    await raw.read(bytes, 0, firstByte, 0);
    expect(bytes.toString('utf8', 0, 7)).toBe('latents');
    expect(bytes.subarray(7).every((byte) => byte === 0)).toBe(true);
    expect((await raw.stat()).size).toBe(firstByte + CorrespondenceFile.sizeBytes(layout));
    await raw.close();
  });

  it('is read again by another opening', async () => {
    const { file, name } = await create();
    await file.write(4, [5], correspondencesOf(4, [5]));
    await file.sync();
    const again = await CorrespondenceFile.open('r', { ...layout, path: name, firstByte });
    files.push(again);
    expect(await again.read(4, [5])).toEqual(correspondencesOf(4, [5]));
  });

  it.each([
    [1, 0],
    [5, 0],
    [2, 6],
    [2, -1],
  ])('has no room for step %i, frame %i', async (step, frame) => {
    const { file } = await create();
    const message = `Frame ${frame} of step ${step} is outside the cached correspondences.`;
    await expect(file.read(step, [frame])).rejects.toThrow(message);
    await expect(file.write(step, [frame], correspondencesOf(2, [0]))).rejects.toThrow(message);
  });

  it('that was cut short is not read as zeros', async () => {
    const { file, name } = await create();
    await file.write(4, [5], correspondencesOf(4, [5]));
    await truncate(name, firstByte + CorrespondenceFile.sizeBytes(layout) - 1);
    await expect(file.read(4, [5])).rejects.toThrow('was cut short');
    expect(await file.read(4, [4])).toEqual({ nearest: new Uint16Array(2 * layout.tokens) });
  });

  it('tells its size beforehand: 108 KB per frame and step for the networks of SD 1.5 at 512 x 512', () => {
    // Five blocks at 64 x 64, five at 32 x 32, five at 16 x 16 and one at 8 x 8.
    const tokens = 5 * (4096 + 1024 + 256) + 64;
    expect(CorrespondenceFile.sizeBytes({ frameCount: 1, tokens, startStep: 0, endStep: 1 })).toBe(107_776);
    expect(CorrespondenceFile.sizeBytes({ ...layout, tokens })).toBe(107_776 * 6 * 3);
  });
});

describe('a disk', () => {
  it.runIf(process.platform === 'linux')('that is full is named so', async () => {
    const file = await CorrespondenceFile.open('r+', { ...layout, path: '/dev/full', firstByte });
    files.push(file);
    await expect(file.write(2, [0], correspondencesOf(2, [0]))).rejects.toMatchObject({
      code: 'disk-full',
      message: "/dev/full can't grow: the disk is full.",
    });
  });

  it('without the file is named so', async () => {
    const missing = path.join(dir, 'missing');
    await expect(CorrespondenceFile.open('r', { ...layout, path: missing, firstByte })).rejects.toMatchObject({
      code: 'output-unwritable',
    });
  });
});
