// How the command line finds a running server: a file in the cache folder that only its user can read.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EditError } from '../errors.ts';

const fileName = 'server.json';

/** Writes address and token of a running server. Returns the file's path. */
export async function writeServerFile(
  cacheDir: string,
  { url, token }: { readonly url: string; readonly token: string },
): Promise<string> {
  const path = join(cacheDir, fileName);
  await mkdir(cacheDir, { recursive: true });
  // A file that exists keeps its mode, so it goes first.
  await rm(path, { force: true });
  await writeFile(path, `${JSON.stringify({ url, token })}\n`, { mode: 0o600, flag: 'wx' });
  return path;
}

/** Removes the file if it is still the one of the server with this token. */
export async function removeServerFile(cacheDir: string, token: string): Promise<void> {
  const path = join(cacheDir, fileName);
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.includes(token)) await rm(path, { force: true });
}

/** The token of the server at `url`. Throws EditError 'not-paired' when the file does not know it. */
export async function readServerToken(cacheDir: string, url: string): Promise<string> {
  const path = join(cacheDir, fileName);
  const text = await readFile(path, 'utf8').catch(() => '{}');
  const { url: knownUrl, token } = JSON.parse(text) as { url?: unknown; token?: unknown };
  if (knownUrl === url && typeof token === 'string') return token;
  throw new EditError('not-paired', `The token of the server at ${url} is not in ${path}.`, {
    hint: 'Set TOKENFLOW_TOKEN to it, or start the server as this user with the same TOKENFLOW_CACHE.',
  });
}
