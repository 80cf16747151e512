import { expect, test } from 'vitest';
import type { TimelineSnapshot } from '../host/selection.ts';
import { rangeToEdit } from './range-to-edit.ts';

const ntsc = { numerator: 30_000, denominator: 1_001 };
const frame = 8_475_667_200n;
const snapshot: TimelineSnapshot = {
  kind: 'timeline',
  projectId: 'p',
  sequenceId: 's',
  sequenceName: 'Main',
  trackIndex: 0,
  start: String(100n * frame),
  end: String(107n * frame),
  inPoint: String(30n * frame),
  outPoint: String(37n * frame),
  ticksPerFrame: String(frame),
  itemId: 'i',
  mediaPath: '/film.mp4',
  speed: 1,
  isReversed: false,
};
const rendered = { snapshot, mode: 'rendered', frames: 7 } as const;

test('an export of as many frames as it should have is edited whole', () => {
  expect(rangeToEdit(rendered, { frameCount: 7, frameRate: ntsc })).toBeNull();
});

test('one frame too many at the end is not edited', () => {
  const range = rangeToEdit(rendered, { frameCount: 8, frameRate: ntsc });
  expect(range?.startSeconds).toBe(0);
  expect(((range?.endSeconds ?? 0) * 30_000) / 1_001).toBeCloseTo(7, 9);
});

test.each([6, 9, 100])('%i frames instead of 7 are refused', (frameCount) => {
  expect(() => rangeToEdit(rendered, { frameCount, frameRate: ntsc })).toThrow(/instead of 7/);
});

test('of a media file the clip is edited, and nothing before or after', () => {
  const range = rangeToEdit({ ...rendered, mode: 'source' }, { frameCount: 900, frameRate: ntsc });
  expect(((range?.startSeconds ?? 0) * 30_000) / 1_001).toBeCloseTo(30, 9);
  expect(((range?.endSeconds ?? 0) * 30_000) / 1_001).toBeCloseTo(37, 9);
});

test('a dropped file has its range in the settings', () => {
  const file = { kind: 'file', fileId: 'f', fileName: 'a.mp4', sizeBytes: 1 } as const;
  const clip = { snapshot: { ...file, startSeconds: 1, endSeconds: 2 }, mode: 'source', frames: null } as const;
  expect(rangeToEdit(clip, { frameCount: 9, frameRate: ntsc })).toBeNull();
});
