// The addresses that the server listens on: this machine's own two, and one more over TLS when `--listen` asks for it.
// One HTTP server answers behind all of them.

import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer as createPlainServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { EditError } from '../errors.ts';
import type { Log } from '../app/log.ts';
import type { RemoteAccess } from '../remote-access.ts';
import { typed } from '../typed-command.ts';

const ipv4Loopback = '127.0.0.1';
const ipv6Loopback = '::1';

/** Connections by TLS at a time, those included that have not finished their handshake. */
const maxRemoteConnections = 256;
const handshakeTimeoutMs = 10_000;

/** The error codes of a bind on a machine without IPv6. */
const noIpv6 = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

export interface ListenOptions {
  /** Tried in this order; 0 lets the system choose. */
  readonly ports: readonly number[];
  /** Over TLS, at the port after the last of `ports`. Default: none. */
  readonly remote?: RemoteAccess | null;
  readonly log: Log;
}

export interface Listeners {
  readonly port: number;
  /** For example `https://192.168.1.5:47864`; null without `remote`. */
  readonly remoteUrl: string | null;
  /** Accepts no new connections. Open connections stay. */
  close(): void;
}

/** Opens the listeners of `http`. Throws EditError 'invalid-request' for ports in use or an address of another machine. */
export async function listen(http: Server, { ports, remote = null, log }: ListenOptions): Promise<Listeners> {
  const opened: NetServer[] = [];
  const close = (): void => opened.forEach((door) => door.close());
  const pass = (socket: Socket): void => void http.emit('connection', socket);
  try {
    const loopback = await bindFirstFree(http, ports, pass, log);
    opened.push(...loopback.opened);
    const chosenPort = loopback.port;
    if (remote === null) return { port: chosenPort, remoteUrl: null, close };
    const { certificate: cert, key, address } = remote;
    const third = createTlsServer({ cert, key, minVersion: 'TLSv1.2', handshakeTimeout: handshakeTimeoutMs }, pass);
    third.maxConnections = maxRemoteConnections;
    third.on('tlsClientError', (error) => log.debug('A TLS handshake failed.', { error: error.message }));
    opened.push(third);
    const lastPort = ports.at(-1) ?? 0;
    const remotePort = await bind(third, lastPort === 0 ? 0 : lastPort + 1, address);
    const host = address.includes(':') ? `[${address}]` : address;
    return { port: chosenPort, remoteUrl: `https://${host}:${remotePort}`, close };
  } catch (error) {
    close();
    throw error;
  }
}

interface LoopbackListeners {
  readonly port: number;
  readonly opened: readonly NetServer[];
}

/** Listens on both loopback addresses, at the first of `ports` that no other program uses on either. */
async function bindFirstFree(
  http: Server,
  ports: readonly number[],
  pass: (socket: Socket) => void,
  log: Log,
): Promise<LoopbackListeners> {
  const taken: number[] = [];
  for (const port of ports) {
    try {
      return await bindLoopback(http, port, pass, log);
    } catch (error) {
      if (!isInUse(error) || ports.length === 1) throw error;
      taken.push(port);
    }
  }
  throw new EditError('invalid-request', `The ports ${taken.join(', ')} are all in use.`, {
    hint: `${typed('doctor')} says by which programs. Or choose another port with --port.`,
  });
}

async function bindLoopback(
  http: Server,
  port: number,
  pass: (socket: Socket) => void,
  log: Log,
): Promise<LoopbackListeners> {
  const second = createPlainServer(pass);
  if (port === 0) {
    const chosen = await bind(http, 0, ipv4Loopback);
    return { port: chosen, opened: (await bindIfThere(second, chosen, true, log)) ? [http, second] : [http] };
  }
  // `http` comes last: it can try the next port only if it has not listened before.
  const hasSecond = await bindIfThere(second, port, false, log);
  try {
    await bind(http, port, ipv4Loopback);
  } catch (error) {
    if (hasSecond) second.close();
    throw error;
  }
  return { port, opened: hasSecond ? [http, second] : [http] };
}

function isInUse(error: unknown): boolean {
  const { cause } = error as Error;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}

/** Returns the port. */
async function bind(server: NetServer, port: number, host: string): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw toListenError(error, port, host);
  }
  return (server.address() as AddressInfo).port;
}

/**
 * Whether it listens on the second loopback address, too. A machine may have none; a port that the system chose for the
 * first may be taken on it.
 */
async function bindIfThere(server: NetServer, port: number, isAnyPort: boolean, log: Log): Promise<boolean> {
  try {
    await bind(server, port, ipv6Loopback);
    return true;
  } catch (error) {
    const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? '';
    if (!noIpv6.includes(code) && !(isAnyPort && code === 'EADDRINUSE')) throw error;
    log.info('The server listens on 127.0.0.1 only, not on ::1.', { reason: code });
    return false;
  }
}

function toListenError(error: unknown, port: number, host: string): EditError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: `Another companion server may be running: ${typed('doctor')} says who. Or choose another port with --port.`,
    EACCES: 'Choose a port above 1023 with --port.',
    EADDRNOTAVAIL: 'Give --listen an address of this machine.',
  };
  const what =
    code === 'EADDRINUSE'
      ? `Port ${port} is already in use.`
      : `The server cannot listen on ${host} port ${port}: ${code}.`;
  const hint = hints[code];
  return new EditError('invalid-request', what, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
