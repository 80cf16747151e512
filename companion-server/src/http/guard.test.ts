import { expect, test } from 'vitest';
import { isOwnHost, isOwnOrigin } from './guard.ts';

test.each(['127.0.0.1', '127.0.0.1:7860', 'localhost:7860', 'LOCALHOST', '[::1]:7860', '[::1]'])(
  'the host %s is this machine',
  (host) => expect(isOwnHost(host)).toBe(true),
);

test.each([
  undefined,
  '',
  'evil.example',
  'evil.example:7860',
  '127.0.0.1.evil.example',
  '0.0.0.0:7860',
  '127.0.0.1@evil.example',
  '[::1',
])('the host %s is not', (host) => expect(isOwnHost(host)).toBe(false));

test.each([undefined, 'http://127.0.0.1:7860', 'uxp://com.tokenflow.panel', 'file://'])(
  'the origin %s is harmless',
  (origin) => expect(isOwnOrigin(origin, '127.0.0.1:7860')).toBe(true),
);

test.each([
  'null',
  '',
  'https://evil.example',
  'http://127.0.0.1:3000',
  'https://127.0.0.1:7860',
  'http://localhost:7860',
  'chrome-extension://abc',
])('the origin %s is foreign', (origin) =>
  expect(isOwnOrigin(origin, '127.0.0.1:7860')).toBe(false),
);
