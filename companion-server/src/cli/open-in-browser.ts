// Opens a page in the user's browser, where there is a desktop.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Environment } from '../app/config.ts';

interface Opener {
  readonly program: string;
  readonly args: readonly string[];
}

/** The program that opens `url`; null where nobody could see a browser. `url` has no spaces. */
export function openerFor(url: string, env: Environment, platform: NodeJS.Platform = process.platform): Opener | null {
  if (platform === 'win32') return { program: 'rundll32.exe', args: ['url.dll,FileProtocolHandler', url] };
  // Over SSH a browser would open on the screen of the other machine, or nowhere.
  const isRemote = env['SSH_CONNECTION'] !== undefined;
  if (platform === 'darwin') return isRemote ? null : { program: '/usr/bin/open', args: [url] };
  const hasDesktop = [env['DISPLAY'], env['WAYLAND_DISPLAY']].some((value) => value !== undefined && value !== '');
  return hasDesktop ? { program: 'xdg-open', args: [url] } : null;
}

/** Whether a program that opens the page was started. The caller shows the address where not. */
export async function openInBrowser(url: string, env: Environment): Promise<boolean> {
  const opener = openerFor(url, env);
  if (opener === null) return false;
  const child = spawn(opener.program, opener.args, { stdio: 'ignore', detached: true, env });
  try {
    await once(child, 'spawn');
    child.unref();
    return true;
  } catch {
    return false; // The program is missing.
  }
}
