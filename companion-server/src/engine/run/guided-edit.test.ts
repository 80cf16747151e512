// What guidance leads away from, from file to file.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTinyCheckpoint, tinyPrompts } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { framesOf, runTinyEdit, tinyJob, type TinyEdits } from '../../../../test/tiny-edits.ts';
import type { EditReport } from '../../../../protocol/edit-report.ts';
import type { EditSettings } from '../../../../protocol/edit-settings.ts';
import { makeClip, testPicture } from '../../media/testing/clips.ts';
import { tensor } from '../../tensor/tensor.ts';
import { guidanceBase } from './guidance-base.ts';

let common: TinyEdits;
beforeAll(async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-guided-'));
  const modelDir = await makeTinyCheckpoint(path.join(dir, 'model'));
  const inputPath = await makeClip(path.join(dir, 'clip.mkv'), [...testPicture('64x48', '10', 4), '-c:v', 'ffv1']);
  common = { dir, modelDir, inputPath };
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(common.dir, { recursive: true });
});

let edits = 0;
async function edit(change: Partial<EditSettings>): Promise<{ frames: readonly Uint8Array[]; report: EditReport }> {
  const job = tinyJob(common, `edit-${edits++}`, { keyframeInterval: 2, ...change });
  const { report } = await runTinyEdit(job);
  return { frames: await framesOf(job), report };
}

/** The largest difference of a pixel, of 255. */
function distance(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  expect(a.map(({ length }) => length)).toEqual(b.map(({ length }) => length));
  return Math.max(
    ...a.map((frame, i) => frame.reduce((most, v, at) => Math.max(most, Math.abs(v - (b[i]?.[at] ?? 0))), 0)),
  );
}

describe('guidance', () => {
  const unchanged = { prompt: tinyPrompts.source, sourcePrompt: tinyPrompts.source } as const;

  test('away from the source prompt leaves a prompt that changes nothing alone, at any scale', async () => {
    const unguided = await edit({ ...unchanged, guidance: 1 });
    for (const guidance of [1.5, 7.5, 30]) {
      const { frames, report } = await edit({ ...unchanged, guideBy: 'source', guidance });
      expect(distance(frames, unguided.frames)).toBeLessThanOrEqual(1);
      expect(report.chosen).toMatchObject({ guideBy: 'source', guidance });
    }
    const away = await edit({ ...unchanged, guideBy: 'negative', guidance: 7.5 });
    expect(distance(away.frames, unguided.frames)).toBeGreaterThan(4);
  });

  test('away from a negative prompt that is the source prompt is guidance away from the source prompt', async () => {
    const { frames } = await edit({ guideBy: 'source' });
    const same = await edit({ guideBy: 'negative', negativePrompt: tinyPrompts.source });
    const other = await edit({ guideBy: 'negative' });
    expect(distance(frames, same.frames)).toBe(0);
    expect(distance(frames, other.frames)).toBeGreaterThan(0);
  });

  test('says where it could not do as it was told', async () => {
    const { report } = await edit({ guideBy: 'source', sourcePrompt: '', negativePrompt: 'a', preview: true });
    expect(report.notices).toContain(
      'Guidance led away from an empty prompt: no source prompt says what the clip shows now.',
    );
    expect(report.notices).toContain('The negative prompt was not used: guidance led away from the source prompt.');
  });
});

test('halfway between source and negative prompt every number of the conditioning is their mean', () => {
  const told = (...values: number[]) => ({ ...tensor([1, 1, 2]), data: Float32Array.from(values) });
  const source = { tokens: told(1, 3), pooled: told(0, 2), timeIds: told(5, 6) };
  const negative = { tokens: told(3, -3), pooled: told(4, 2), timeIds: told(5, 6) };
  expect(guidanceBase('both', { source, negative })).toEqual({
    tokens: told(2, 0),
    pooled: told(2, 2),
    timeIds: told(5, 6),
  });
  expect(guidanceBase('source', { source, negative })).toBe(source);
  expect(guidanceBase('negative', { source, negative })).toBe(negative);
});
