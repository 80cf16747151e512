import { expect, test } from 'vitest';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import type { FrameFormat, FrameSide } from '../../../../protocol/messages/stream-messages.ts';
import { EditError } from '../../errors.ts';
import { toClientError } from '../../wire-error.ts';
import type { SessionDeps } from './session-deps.ts';
import { readControlPicture, readFrame } from './session-frames.ts';

const rate = { numerator: 25, denominator: 1 };
const result = { sizeBytes: 3, sha256: '0'.repeat(64) };
const artifacts = {
  facts: () => Promise.resolve({ sizeBytes: 3 }),
  localPath: (id: string) => Promise.resolve(`/data/${id}`),
};

/** What the picture of frame 2 of a job is made of; the job's edit begins two seconds into its clip. */
async function asked(
  side: FrameSide,
  frameIndices: readonly number[] | null = null,
  format: FrameFormat = 'jpeg',
): Promise<unknown> {
  const wishes: unknown[] = [];
  const note = (...wish: readonly unknown[]): Promise<Uint8Array> => {
    wishes.push(wish);
    return Promise.resolve(new Uint8Array(1));
  };
  const settings = { ...defaultSettings(), startSeconds: 2, preview: frameIndices !== null };
  const deps = {
    artifacts,
    clips: { get: (owner: string, clipId: string) => Promise.resolve({ artifact: `clips/${owner}-${clipId}` }) },
    jobs: {
      get: () => Promise.resolve({ clipId: 'c', settings, result, report: { frameRate: rate, frameIndices } }),
    },
    readPicture: note,
    readStill: note,
    readMap: note,
  } as unknown as SessionDeps;
  const wish = { type: 'frame-get', requestId: 1, id: 'j', frameIndex: 2, maxSide: 64 } as const;
  await readFrame(deps, 'me', { ...wish, side, format });
  return wishes[0];
}

test('a frame is read of the clip or of the result', async () => {
  expect(await asked('original')).toEqual(['/data/clips/me-j', 2, 64]);
  expect(await asked('edit')).toEqual(['/data/jobs/j/result.mov', 2, 64]);
});

test('what a ControlNet is shown is made of a frame of the clip', async () => {
  const wishes: unknown[] = [];
  const deps = {
    artifacts,
    clips: { get: (owner: string, clipId: string) => Promise.resolve({ artifact: `clips/${owner}-${clipId}` }) },
    readControlPicture: (...wish: readonly unknown[]) => (wishes.push(wish), Promise.resolve(new Uint8Array([7]))),
  } as unknown as SessionDeps;
  const wish = { requestId: 1, clipId: 'j', frameIndex: 2, maxSide: 64 } as const;
  const made = await readControlPicture(deps, 'me', { type: 'control-picture-get', kind: 'canny', ...wish });
  expect([[...made], wishes]).toEqual([[7], [['canny', '/data/clips/me-j', 2, 64]]]);
});

test('a frame without loss is read of a clip only, at its own size', async () => {
  expect(await asked('original', null, 'png')).toEqual(['/data/clips/me-j', 2]);
  await expect(asked('edit', null, 'png')).rejects.toMatchObject({ code: 'invalid-request' });
});

test('a map is made of the frame of the result and of the frame of the clip that it was', async () => {
  const [original, edit] = [
    { path: '/data/clips/me-c', frameIndex: 52 },
    { path: '/data/jobs/j/result.mov', frameIndex: 2 },
  ];
  expect(await asked('flicker')).toEqual(['flicker', original, edit, 64]);
  const keyframe = { ...original, frameIndex: 50 + 17 };
  expect(await asked('difference', [3, 9, 17])).toEqual(['difference', keyframe, edit, 64]);
});

test('a preview has no flicker', async () => {
  await expect(asked('flicker', [3, 9, 17])).rejects.toMatchObject({ code: 'invalid-request' });
});

test('a client hears of neither clip nor result by its path', async () => {
  const deps = {
    artifacts,
    clips: { get: () => Promise.resolve({ artifact: 'clips/clip.mov' }) },
    jobs: { get: () => Promise.resolve({ clipId: 'c', settings: defaultSettings(), result, report: null }) },
    readMap: (_kind: string, original: { path: string }, edit: { path: string }) =>
      Promise.reject(new EditError('clip-unreadable', `"${original.path}", "${edit.path}"`)),
  } as unknown as SessionDeps;
  const wish = { type: 'frame-get', requestId: 1, id: 'j', frameIndex: 2, maxSide: 64 } as const;
  const refused = await readFrame(deps, 'me', { ...wish, side: 'difference' }).catch((error: unknown) => error);
  expect(toClientError(refused)).toEqual({ code: 'clip-unreadable', message: 'the clip, the result' });
});
