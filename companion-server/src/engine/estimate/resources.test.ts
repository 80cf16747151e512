import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findRefusal, readResources, requireResources, type Need } from './resources.ts';

const need: Need = { memoryBytes: 4e9, diskBytes: 1e9, frames: 100 };
/** Memory grows with the area. */
const needAt = (factor: number) =>
  factor < 0.2 ? null : { memoryBytes: 4e9 * factor ** 2, size: { width: Math.round(1000 * factor), height: 500 } };

test('what fits is not refused', () => {
  expect(findRefusal(need, { memoryBytes: 8e9, diskBytes: 8e9 }, needAt)).toBeNull();
  expect(findRefusal(need, { memoryBytes: null, diskBytes: 8e9 }, needAt)).toBeNull();
});

test('too little memory is refused with a size that fits', () => {
  const refusal = findRefusal(need, { memoryBytes: 3.5e9, diskBytes: 8e9 }, needAt);
  expect(refusal).toMatchObject({
    code: 'out-of-memory',
    message: 'The edit takes about 4.0 GB of memory, and this machine has 3.5 GB.',
    hint: 'Choose a working size of 875 x 500 or less.',
  });
  expect(() => requireResources(refusal)).toThrow(refusal?.message);
  expect(findRefusal(need, { memoryBytes: 1e8, diskBytes: 8e9 }, needAt)?.hint).toBe(
    'Choose a smaller model, or a machine with more memory.',
  );
});

test('too little disk is refused with a number of frames that fit', () => {
  expect(findRefusal(need, { memoryBytes: 8e9, diskBytes: 0.5e9 }, needAt)).toEqual({
    code: 'disk-full',
    message: 'The edit takes 1.0 GB of disk while it runs, and 0.50 GB are free.',
    hint: 'Free 0.53 GB, or edit at most 47 frames at a time; a smaller size and fewer steps take less too.',
  });
});

test('the room of an edit that goes on includes what it has taken', async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-room-'));
  try {
    const workDir = path.join(dir, 'not', 'there');
    expect((await readResources(workDir, true)).memoryBytes).toBeGreaterThan(1e8);
    expect((await readResources(workDir, false)).memoryBytes).toBeNull();
    await writeFile(path.join(dir, 'latents'), new Uint8Array(1000));
    expect((await readResources(dir, true)).diskBytes).toBeGreaterThan(1000);
  } finally {
    await rm(dir, { recursive: true });
  }
});
