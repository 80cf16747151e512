// How the command line and the panels of this user find the running server: a file in the data folder that only this user
// can read. A server that was killed leaves its file, and another program may get its port. So nobody believes the file
// before the server at the port has proved that it wrote it.

import { randomBytes } from 'node:crypto';
import { lstat, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hex, integer, object, parse, text, type Infer } from '../../../protocol/fields.ts';
import { parseIdentity, serverNoteName } from '../../../protocol/identity.ts';
import { EditError } from '../errors.ts';
import { isFullDisk } from '../files/disk-error.ts';
import { writeWhole } from '../files/write-whole.ts';
import { askLocally } from '../local-request.ts';
import { createIdentity } from '../pairing/identity.ts';

const answerTimeoutMs = 3_000;

const serverFile = object({
  /** Of the server's process. */
  pid: integer(1, Number.MAX_SAFE_INTEGER),
  port: integer(1, 65_535),
  /** For example `http://127.0.0.1:47860`. */
  url: text({ min: 1, max: 100 }),
  instanceId: hex(32),
  /** Proves the server, and pairs this user's panels without a code. */
  panelKey: hex(64),
  /** The token of the command line. */
  token: hex(64),
  /** The address of the server's page, with the key that shows the pairing code. */
  pageUrl: text({ min: 1, max: 200 }),
});

/** What a server of this user has left. */
export type ServerFile = Infer<typeof serverFile>;

/** What of a running server goes into its file. */
export type NotedServer = Pick<ServerFile, 'url' | 'instanceId' | 'panelKey' | 'token' | 'pageUrl'>;

/** Returns the file's path. A link that lies there is replaced, not followed. */
export async function writeServerFile(dataDir: string, server: NotedServer): Promise<string> {
  const { url, instanceId, panelKey, token, pageUrl } = server;
  const path = join(dataDir, serverNoteName);
  const port = Number(new URL(url).port);
  const file: ServerFile = { pid: process.pid, port, url, instanceId, panelKey, token, pageUrl };
  const content = `${JSON.stringify(file)}\n`;
  try {
    await writeWhole(path, content, {}, { mode: 0o600 });
  } catch (error) {
    if (!isFullDisk(error)) throw error;
    // On a full disk the room of the file before is enough. One that is cut short is read as none.
    await rm(path, { force: true });
    await writeFile(path, content, { mode: 0o600, flag: 'wx' });
  }
  return path;
}

/** Removes the file if it is still the one of the server with this token. */
export async function removeServerFile(dataDir: string, token: string): Promise<void> {
  const path = join(dataDir, serverNoteName);
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text.includes(token)) await rm(path, { force: true });
}

/** What the file says; the server may have been killed. Null where there is no whole file of this user. */
export async function readServerFile(dataDir: string): Promise<ServerFile | null> {
  const path = join(dataDir, serverNoteName);
  try {
    const { uid } = await requireOwnFile(path);
    if (process.getuid !== undefined && uid !== process.getuid()) return null;
    return parse(serverFile, JSON.parse(await readFile(path, 'utf8')), serverNoteName);
  } catch (error) {
    // A file that was cut short by a full disk, or is of another version, is none.
    const isNone = error instanceof SyntaxError || error instanceof EditError;
    const isMissing = ['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (isNone || isMissing) return null;
    throw error;
  }
}

async function requireOwnFile(path: string): Promise<{ readonly uid: number }> {
  const found = await lstat(path);
  if (!found.isFile()) throw new EditError('invalid-request', `${serverNoteName} is not a file.`);
  return found;
}

/** Whether the server that wrote the file answers at its port. */
export async function isRunning({ url, port, instanceId, panelKey }: ServerFile): Promise<boolean> {
  const nonce = randomBytes(32).toString('hex');
  try {
    const { body } = await askLocally(new URL(`/version?nonce=${nonce}`, url), { timeoutMs: answerTimeoutMs });
    const { proof } = parseIdentity(JSON.parse(body));
    return proof === createIdentity(instanceId, panelKey).proof(nonce, port);
  } catch {
    return false; // Whatever answers there, if anything does, it is not this server.
  }
}

/** The server of this user that runs and has proved it; null when there is none. */
export async function findServer(dataDir: string): Promise<ServerFile | null> {
  const file = await readServerFile(dataDir);
  return file !== null && (await isRunning(file)) ? file : null;
}

/** The token of the server at `url`. Throws EditError 'not-paired' when the file does not know it. */
export async function readServerToken(dataDir: string, url: string): Promise<string> {
  const file = await readServerFile(dataDir);
  if (file?.url === url) return file.token;
  const path = join(dataDir, serverNoteName);
  throw new EditError('not-paired', `The token of the server at ${url} is not in ${path}.`, {
    hint: 'Set TOKENFLOW_TOKEN to it, or start the server as this user with the same TOKENFLOW_DATA.',
  });
}
