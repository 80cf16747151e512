import { describe, expect, test } from 'vitest';
import { fileUrl, followRedirect, readHub, repositoryPage } from './hub-address.ts';
import { readRetryAfter } from './hub-trouble.ts';
import { errorFrom } from '../testing/error-from.ts';

const source = { repository: 'someone/some.thing', revision: 'abc' };

describe('the hub', () => {
  test('is Hugging Face, without a token', () => {
    const hub = readHub({ HF_ENDPOINT: '', HF_TOKEN: '' });
    expect(hub.token).toBeUndefined();
    expect(fileUrl(hub, source, 'unet/config.json').href).toBe(
      'https://huggingface.co/someone/some.thing/resolve/abc/unet/config.json',
    );
    expect(repositoryPage(hub, source)).toBe('https://huggingface.co/someone/some.thing');
  });

  test('may be a mirror below a path', () => {
    const hub = readHub({ HF_ENDPOINT: 'https://mirror.example/hf//' });
    expect(fileUrl(hub, source, 'a.json').href).toBe('https://mirror.example/hf/someone/some.thing/resolve/abc/a.json');
  });

  test.each([
    ...['nonsense', 'http://huggingface.co', 'ftp://127.0.0.1', 'file:///etc'],
    ...['https://user:secret@mirror.example', 'https://mirror.example/?x', 'https://m.example/#x'],
  ])('cannot be %s', (HF_ENDPOINT) => {
    const error = errorFrom(() => readHub({ HF_ENDPOINT }));
    expect(error).toMatchObject({ code: 'invalid-request' });
    expect(error.message).toContain('HF_ENDPOINT must be');
  });

  test.each(['a b', 'a\nb', 'ä'])('takes no token that would break a header: %j', (HF_TOKEN) => {
    const error = errorFrom(() => readHub({ HF_TOKEN }));
    expect(error).toMatchObject({ code: 'invalid-request' });
    expect(error.message).not.toContain(HF_TOKEN);
  });
});

describe('a redirect', () => {
  const huggingFace = readHub({});
  const mirror = readHub({ HF_ENDPOINT: 'https://mirror.example' });
  const local = readHub({ HF_ENDPOINT: 'http://127.0.0.1:9000' });

  test.each([
    [huggingFace, '/api/resolve-cache/x', 'https://huggingface.co/api/resolve-cache/x'],
    [huggingFace, 'https://cdn-lfs.huggingface.co/x?Signature=y', undefined],
    [huggingFace, 'https://cas-bridge.xethub.hf.co/x', undefined],
    [mirror, 'https://files.mirror.example/x', undefined],
    [mirror, 'https://cas-bridge.xethub.hf.co/x', undefined],
    [local, 'http://127.0.0.1:9001/x', undefined],
    [local, 'http://localhost:9001/x', undefined],
  ])('%# is followed', (hub, location, expected) => {
    expect(followRedirect(hub, hub.base, location).href).toBe(expected ?? location);
  });

  test.each([
    [huggingFace, 'https://mirror.example/x'],
    [huggingFace, 'http://cdn-lfs.huggingface.co/x'],
    [huggingFace, 'https://localhost/x'],
    [huggingFace, 'http://127.0.0.1/x'],
    [huggingFace, 'https://127.0.0.1/x'],
    [huggingFace, 'https://[::1]/x'],
    [huggingFace, 'http://2130706433/x'],
    [huggingFace, 'https://huggingface.co./x'],
    [huggingFace, 'https://evilhf.co/x'],
    [mirror, 'https://notmirror.example/x'],
    [mirror, 'https://files.mirror.example:444/x'],
    [local, 'http://169.254.169.254/x'],
    [local, 'https://127.0.0.1.example/x'],
    [local, undefined],
  ])('%# is not followed', (hub, location) => {
    expect(errorFrom(() => followRedirect(hub, hub.base, location))).toMatchObject({
      code: 'download-refused',
    });
  });
});

test.each([
  ['7', 7_000],
  ['0', 0],
  ['Thu, 01 Jan 1970 00:01:00 GMT', 50_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
])('Retry-After %j is %j milliseconds', (header, milliseconds) => {
  expect(readRetryAfter(header, 10_000)).toBe(milliseconds);
});
