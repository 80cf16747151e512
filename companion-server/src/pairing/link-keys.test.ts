import { expect, test } from 'vitest';
import { createLinkKeys, linkLifetimeMs } from './link-keys.ts';

test('a key is good once', () => {
  const keys = createLinkKeys(() => new Date(0));
  const { key } = keys.open();
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect([keys.use(key), keys.use(key)]).toEqual([true, false]);
});

test('a key is good for five minutes', () => {
  let nowMs = 0;
  const keys = createLinkKeys(() => new Date(nowMs));
  const { key, expiresAt } = keys.open();
  expect(expiresAt).toEqual(new Date(linkLifetimeMs));
  nowMs = linkLifetimeMs;
  expect(keys.use(key)).toBe(false);
});

test('sixteen links may be open, and one more makes the oldest void', () => {
  const keys = createLinkKeys(() => new Date(0));
  const opened = Array.from({ length: 17 }, () => keys.open().key);
  expect(opened.map((key) => keys.use(key))).toEqual([false, ...Array.from({ length: 16 }, () => true)]);
});
