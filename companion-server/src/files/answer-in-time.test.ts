import { expect, test } from 'vitest';
import { answerInTime } from './answer-in-time.ts';

test('an answer, and an error, pass through', async () => {
  expect(await answerInTime(Promise.resolve(5), '/clip.mp4')).toBe(5);
  await expect(answerInTime(Promise.reject(new Error('gone')), '/clip.mp4')).rejects.toThrow('gone');
});

test('a disk that does not answer is an error that says what to do', async () => {
  const asked = new Promise<never>(() => undefined);
  await expect(answerInTime(asked, '/mnt/nas/clip.mp4', 20)).rejects.toMatchObject({
    code: 'clip-unreadable',
    message: 'The disk of "/mnt/nas/clip.mp4" does not answer; waited 0.02 s.',
    hint: expect.stringContaining('copy the clip') as string,
  });
});
