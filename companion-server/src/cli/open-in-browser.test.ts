import { expect, test } from 'vitest';
import { openerFor } from './open-in-browser.ts';

const url = 'http://127.0.0.1:47860/#open=abc';

test.each([
  ['linux', {}, null],
  ['linux', { DISPLAY: '' }, null],
  ['linux', { DISPLAY: ':0' }, 'xdg-open'],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'xdg-open'],
  ['darwin', {}, '/usr/bin/open'],
  ['darwin', { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, null],
  ['win32', {}, 'rundll32.exe'],
] as const)('on %s with %j a page is opened by %s', (platform, env, program) => {
  expect(openerFor(url, env, platform)?.program ?? null).toBe(program);
});

test('the address is passed on whole, and no shell reads it', () => {
  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    const opener = openerFor(url, { DISPLAY: ':0' }, platform);
    expect(opener?.args.at(-1)).toBe(url);
    expect(opener?.program).not.toMatch(/cmd|sh$/);
  }
});
