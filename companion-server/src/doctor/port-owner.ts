// Who listens on a port: a companion server, which says so, or another program. The system gives the name of that
// program if this user may see it.

import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { promisify } from 'node:util';
import { askLocally } from '../local-request.ts';

const patienceMs = 2_000;
const run = promisify(execFile);

export type PortFinding =
  | { readonly kind: 'free' }
  | { readonly kind: 'companion-server'; readonly version: string }
  /** `program` is a name with a process id, or null when the system does not say. */
  | { readonly kind: 'other'; readonly program: string | null };

/** Looks at a port of 127.0.0.1. */
export async function findPortOwner(port: number): Promise<PortFinding> {
  if (!(await isTaken(port))) return { kind: 'free' };
  const version = await askVersion(port);
  if (version !== null) return { kind: 'companion-server', version };
  return { kind: 'other', program: await findProgramAt(port) };
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: patienceMs });
    const end = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => end(true));
    // A port that takes connections in and does nothing with them is taken, too.
    socket.once('timeout', () => end(true));
    socket.once('error', () => end(false));
  });
}

async function askVersion(port: number): Promise<string | null> {
  try {
    const { body } = await askLocally(new URL(`http://127.0.0.1:${port}/version`), { timeoutMs: patienceMs });
    const { name, version } = JSON.parse(body) as Readonly<Record<string, unknown>>;
    return name === 'tokenflow' && typeof version === 'string' ? version : null;
  } catch {
    return null; // Whatever it is, it does not answer as a companion server does.
  }
}

async function findProgramAt(port: number): Promise<string | null> {
  try {
    if (process.platform === 'linux') return await findOnLinux(port);
    if (process.platform === 'win32') return await findOnWindows(port);
    return await findByLsof(port);
  } catch {
    return null; // A tool is missing, or this user may not know.
  }
}

/** By the inode of the listening socket, which some process has open. */
async function findOnLinux(port: number): Promise<string | null> {
  const table = await readFile('/proc/net/tcp', 'utf8');
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inode = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local, , state]) => local?.endsWith(`:${wanted}`) === true && state === '0A')?.[9];
  if (inode === undefined) return null;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (target !== `socket:[${inode}]`) continue;
      const name = await readFile(`/proc/${pid}/comm`, 'utf8');
      return `${name.trim()} (process ${pid})`;
    }
  }
  return null;
}

async function findByLsof(port: number): Promise<string | null> {
  const { stdout } = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { timeout: patienceMs });
  const pid = /^p(\d+)$/m.exec(stdout)?.[1];
  const name = /^c(.+)$/m.exec(stdout)?.[1];
  return pid === undefined ? null : `${name ?? 'a program'} (process ${pid})`;
}

async function findOnWindows(port: number): Promise<string | null> {
  const { stdout } = await run('netstat', ['-ano', '-p', 'TCP'], { timeout: patienceMs });
  const line = new RegExp(`:${port}\\s+\\S+\\s+LISTENING\\s+(\\d+)`).exec(stdout);
  const pid = line?.[1];
  return pid === undefined ? null : `process ${pid}`;
}
