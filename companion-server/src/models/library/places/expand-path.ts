// Paths as users write them in settings of other programs.

import { join, resolve } from 'node:path';
import type { Machine } from '../found.ts';

/** An absolute path: `~`, $NAME, ${NAME} and %NAME% are replaced; a relative one begins at `from`. */
export function expandPath(text: string, { env, home, platform }: Machine, from = home): string {
  const named = text
    .trim()
    .replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (all, braced?: string, bare?: string) => env[braced ?? bare ?? ''] ?? all)
    .replaceAll(/%(\w+)%/g, (all, name: string) => (platform === 'win32' ? (env[name] ?? all) : all));
  const whole = named === '~' || /^~[/\\]/.test(named) ? join(home, named.slice(1)) : named;
  return resolve(from, whole);
}
