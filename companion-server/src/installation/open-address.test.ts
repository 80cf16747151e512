import { expect, test } from 'vitest';
import { openAddress, openerFor, runOpener } from './open-address.ts';

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

const script = (code: string) => ({ program: process.execPath, args: ['-e', code] });
const longMs = 60_000;

test('an opener tells by its exit code whether the address was taken', async () => {
  expect(await runOpener(script('process.exit(0)'), process.env, longMs)).toBe(true);
  expect(await runOpener(script('process.exit(3)'), process.env, longMs)).toBe(false);
});

test('an opener that runs as long as the browser is not waited for', async () => {
  expect(await runOpener(script('setTimeout(() => {}, 1_000)'), process.env, 0)).toBe(true);
});

test('an opener that is missing, and a machine without a screen, open nothing', async () => {
  expect(await runOpener({ program: '/nowhere/xdg-open', args: [] }, process.env)).toBe(false);
  if (process.platform === 'linux') expect(await openAddress(url, {})).toBe(false);
});
