// A technique that exists only here makes a whole edit, through the public list, without a change to the program.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runEdit } from '../../companion-server/src/engine/run/edit.ts';
import { makeClip, testPicture } from '../../companion-server/src/media/testing/clips.ts';
import { techniques } from '../../companion-server/src/techniques/list.ts';
import type { Technique } from '../../companion-server/src/techniques/technique.ts';
import { weightedSum } from '../../companion-server/src/tensor/weighted-sum.ts';
import { makeTinyCheckpoint } from '../fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../shared-sessions.ts';
import { sharingParts } from '../sharing-parts.ts';
import { framesOf, tinyJob } from '../tiny-edits.ts';

/** Draws the latents towards the source's after every step, as a mask would where it is closed. */
const blend: Technique = {
  name: 'blend',
  afterStep: async ({ latents, source }, { strength }) => weightedSum(strength, latents, 1 - strength, await source()),
};
const parts = { ...sharingParts, techniques: [...techniques, blend] };

let dir: string;
let modelDir: string;
let inputPath: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-technique-'));
  modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', 3), '-c:v', 'ffv1']);
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

async function edit(technique: string, strength: number) {
  const job = tinyJob({ dir, modelDir, inputPath }, `${technique}-${strength}`, { technique, strength });
  await runEdit(job, { onProgress: () => undefined }, parts);
  return framesOf(job);
}

/** Mean absolute difference of two clips' pixels. */
function difference(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  const each = a.map(
    (frame, i) => frame.reduce((sum, x, j) => sum + Math.abs(x - (b[i]?.[j] ?? NaN)), 0) / frame.length,
  );
  return each.reduce((sum, x) => sum + x, 0) / each.length;
}

describe('a technique that the program does not know', () => {
  it('decides what becomes of the latents after every step', async () => {
    const free = await edit('none', 0.5);
    // At strength 1 nothing is blended; at 0 all of the source comes back, whatever the network did.
    expect(await edit('blend', 1)).toEqual(free);
    const source = await edit('blend', 0);
    const half = await edit('blend', 0.5);
    expect(difference(source, free)).toBeGreaterThan(1);
    expect(difference(half, source)).toBeLessThan(difference(free, source));
  });

  it('is refused by name where it is not in the list', async () => {
    const job = tinyJob({ dir, modelDir, inputPath }, 'unknown', { technique: 'blend' });
    await expect(runEdit(job, { onProgress: () => undefined }, sharingParts)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('no technique "blend"') as string,
    });
  });
});
