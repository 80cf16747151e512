import { expect, test } from 'vitest';
import { refusalReason } from './guard.ts';

const host = '127.0.0.1:47860';
const isRefused = (headers: Readonly<Record<string, string>>, isEncrypted = false): boolean =>
  refusalReason({ headers, isEncrypted }) !== undefined;

test.each(['127.0.0.1', '127.0.0.1:47860', 'localhost:47860', 'LOCALHOST', '[::1]:47860', '[::1]'])(
  'the host %s is this machine',
  (own) => expect(isRefused({ host: own })).toBe(false),
);

test.each([
  '',
  'evil.example',
  'evil.example:47860',
  '127.0.0.1.evil.example',
  '0.0.0.0:47860',
  '127.0.0.1@evil.example',
  '[::1',
  '127.0.0.1:47860:47860',
  'localhost, evil.example',
])('the host "%s" is not', (other) => expect(isRefused({ host: other })).toBe(true));

test('a request without a host is refused', () => expect(isRefused({})).toBe(true));

test.each(['http://127.0.0.1:47860', 'uxp://com.tokenflow.panel', 'file://'])('the origin %s is harmless', (origin) =>
  expect(isRefused({ host, origin })).toBe(false),
);

test.each([
  'null',
  '',
  'https://evil.example',
  'http://127.0.0.1:3000',
  'https://127.0.0.1:47860',
  'http://localhost:47860',
  'chrome-extension://abc',
])('the origin "%s" is foreign', (origin) => expect(isRefused({ host, origin })).toBe(true));

test('over TLS the origin of its own pages is https', () => {
  expect(isRefused({ host, origin: 'https://127.0.0.1:47860' }, true)).toBe(false);
  expect(isRefused({ host, origin: 'http://127.0.0.1:47860' }, true)).toBe(true);
});

test.each([
  ['same-origin', false],
  ['none', false],
  ['same-site', true],
  ['cross-site', true],
  ['', true],
])('what a browser marks as "%s" is refused: %s', (site, refused) => {
  expect(isRefused({ host, 'sec-fetch-site': site })).toBe(refused);
});

test('a panel may say cross-site: its pages have no site', () => {
  expect(isRefused({ host, origin: 'uxp://panel', 'sec-fetch-site': 'cross-site' })).toBe(false);
});

test('further names are served when the server was told so', () => {
  const request = { headers: { host: 'render.local:47864' }, isEncrypted: true };
  const isServedName = (name: string): boolean => name === 'render.local';
  expect(refusalReason(request, { isServedName })).toBeUndefined();
  expect(refusalReason(request)).toBeDefined();
});
