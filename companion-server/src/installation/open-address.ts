// Opens a page in the user's browser, where there is a desktop.

import { spawn } from 'node:child_process';
import type { Environment } from './places.ts';

export interface Opener {
  readonly program: string;
  readonly args: readonly string[];
}

/** An opener that still runs then has not failed: some of them run as long as the browser. */
const defaultFailureMs = 2_000;

/** The program that opens `url`; null where nobody could see a browser. `url` has no spaces. */
export function openerFor(url: string, env: Environment, platform: NodeJS.Platform = process.platform): Opener | null {
  // Not by cmd.exe, which would read parts of an address as commands.
  if (platform === 'win32') return { program: 'rundll32.exe', args: ['url.dll,FileProtocolHandler', url] };
  // Over SSH a browser would open on the screen of the other machine, or nowhere.
  const isRemote = env['SSH_CONNECTION'] !== undefined;
  if (platform === 'darwin') return isRemote ? null : { program: '/usr/bin/open', args: [url] };
  const hasDesktop = [env['DISPLAY'], env['WAYLAND_DISPLAY']].some((value) => value !== undefined && value !== '');
  return hasDesktop ? { program: 'xdg-open', args: [url] } : null;
}

/** Whether the system took the address. The caller shows it where not. */
export function openAddress(url: string, env: Environment): Promise<boolean> {
  const opener = openerFor(url, env);
  return opener === null ? Promise.resolve(false) : runOpener(opener, env);
}

/** Whether the program was started and has not failed within `failureMs`. It may outlive this process. */
export function runOpener(
  { program, args }: Opener,
  env: Environment,
  failureMs: number = defaultFailureMs,
): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true, windowsHide: true, env });
    child.unref();
    const settle = (isOpened: boolean): void => {
      clearTimeout(timer);
      resolve(isOpened);
    };
    const timer = setTimeout(() => settle(true), failureMs);
    child.once('error', () => settle(false)); // The program is missing.
    child.once('exit', (exitCode) => settle(exitCode === 0));
  });
}
