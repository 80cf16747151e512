// How the command line finds a running server: a file in the cache folder that only its user can read.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EditError } from '../errors.ts';

const fileName = 'server.json';

/** What the command line needs to know of a running server. */
export interface ServerFile {
  readonly url: string;
  readonly token: string;
  /** The address of the server's page, with the key that shows the pairing code. */
  readonly pageUrl: string;
}

/** Returns the file's path. */
export async function writeServerFile(cacheDir: string, { url, token, pageUrl }: ServerFile): Promise<string> {
  const path = join(cacheDir, fileName);
  await mkdir(cacheDir, { recursive: true });
  // A file that exists keeps its mode, so it goes first.
  await rm(path, { force: true });
  await writeFile(path, `${JSON.stringify({ url, token, pageUrl })}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  return path;
}

/** Removes the file if it is still the one of the server with this token. */
export async function removeServerFile(cacheDir: string, token: string): Promise<void> {
  const path = join(cacheDir, fileName);
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.includes(token)) await rm(path, { force: true });
}

/** The server of this user that runs, as far as the file knows; null when there is none. */
export async function readServerFile(cacheDir: string): Promise<ServerFile | null> {
  const text = await readFile(join(cacheDir, fileName), 'utf8').catch(() => 'null');
  return parseServerFile(text);
}

/** Of a file that was cut short by a full disk, nothing is believed. */
function parseServerFile(text: string): ServerFile | null {
  try {
    const file = JSON.parse(text) as Readonly<Record<keyof ServerFile, unknown>> | null;
    const { url, token, pageUrl } = file ?? {};
    const isWhole = [url, token, pageUrl].every((value) => typeof value === 'string');
    return isWhole ? (file as ServerFile) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The token of the server at `url`. Throws EditError 'not-paired' when the file does not know it. */
export async function readServerToken(cacheDir: string, url: string): Promise<string> {
  const file = await readServerFile(cacheDir);
  if (file?.url === url) return file.token;
  const path = join(cacheDir, fileName);
  throw new EditError('not-paired', `The token of the server at ${url} is not in ${path}.`, {
    hint: 'Set TOKENFLOW_TOKEN to it, or start the server as this user with the same TOKENFLOW_CACHE.',
  });
}
