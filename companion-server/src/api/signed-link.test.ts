import { expect, test } from 'vitest';
import { frameSides, type FrameSide } from '../../../protocol/messages/stream-messages.ts';
import { linkLifetimeMs, openLink, signLink } from './signed-link.ts';

const secret = Buffer.alloc(32, 7);
const target = { clientId: 'a'.repeat(32), jobId: 'b'.repeat(32), file: 'result' } as const;
const expiresAt = new Date(10_000);

function open(link: string, { at = 0, key = secret } = {}) {
  const url = new URL(link, 'http://127.0.0.1');
  const [, folder, jobId = '', side] = url.pathname.split('/');
  const file = folder === 'results' ? 'result' : (side as FrameSide);
  return openLink(key, { jobId, file }, url.searchParams, new Date(at));
}

test('a link opens what it was made for, until it expires', () => {
  const link = signLink(secret, target, expiresAt);
  expect(open(link)).toEqual(target);
  expect(open(link, { at: 9_999 })).toEqual(target);
  expect(open(link, { at: 10_000 })).toBeNull();
});

test.each(frameSides)('a link to the video of %s opens that video and nothing else', (side) => {
  const link = signLink(secret, { ...target, file: side }, expiresAt);
  expect(open(link)).toEqual({ ...target, file: side });
  expect(open(link.replace(`/playback/${target.jobId}/${side}`, `/results/${target.jobId}`))).toBeNull();
  const other = frameSides.find((one) => one !== side) ?? '';
  expect(open(link.replace(`/${side}?`, `/${other}?`))).toBeNull();
});

test('a link of another secret opens nothing', () => {
  expect(open(signLink(secret, target, expiresAt), { key: Buffer.alloc(32, 8) })).toBeNull();
});

test('a link that claims to last longer than links do opens nothing, although it is signed', () => {
  const forged = signLink(secret, target, new Date(30 * 365 * 24 * 60 * 60 * 1000));
  expect(open(forged)).toBeNull();
  const longest = signLink(secret, target, new Date(linkLifetimeMs));
  expect(open(longest)).toEqual(target);
});

test.each([
  ['another job', (link: string) => link.replace(target.jobId, 'c'.repeat(32))],
  ['another client', (link: string) => link.replace(target.clientId, 'c'.repeat(32))],
  ['a later end', (link: string) => link.replace('expires=10000', 'expires=99999')],
  ['another signature', (link: string) => link.replace(/signature=.{4}/, 'signature=AAAA')],
  ['a short signature', (link: string) => link.slice(0, -2)],
  ['no signature', (link: string) => link.replace(/&signature=.*/, '')],
  ['no end', (link: string) => link.replace(/expires=\d+&/, '')],
])('a link that was changed to %s opens nothing', (_what, change) => {
  const link = signLink(secret, target, expiresAt);
  expect(change(link)).not.toBe(link);
  expect(open(change(link))).toBeNull();
});
