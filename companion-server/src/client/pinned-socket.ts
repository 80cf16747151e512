// Sockets to a server whose certificate no authority has signed: it is trusted because it is exactly the one that was seen,
// and compared by a person, when the two machines were paired.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { WebSocket } from 'ws';
import { subprotocol } from '../../../protocol/version.ts';
import type { OpenSocket } from '../../../protocol/client/socket.ts';
import { EditError } from '../errors.ts';
import { adapt } from './node-platform.ts';
import { typed } from '../typed-command.ts';

const handshakeTimeoutMs = 10_000;
/** How long the other end may take to agree to a close. */
const closeTimeoutMs = 2_000;

/** What TLS trusts: `certificate`, PEM, and no other. */
export function pinnedTls(certificate: string): Pick<ConnectionOptions, 'ca' | 'checkServerIdentity'> {
  const { fingerprint256 } = new X509Certificate(certificate);
  return {
    ca: certificate,
    // The name does not matter: the machine may have another address today.
    checkServerIdentity: (_name, peer) =>
      peer.fingerprint256 === fingerprint256 ? undefined : new Error('The certificate is not the one that was pinned.'),
  };
}

/** A WebSocket of our protocol. A server with another certificate is refused before anything is sent to it. */
export function openPinnedWebSocket(url: string, certificate: string): WebSocket {
  const options = {
    perMessageDeflate: false,
    closeTimeout: closeTimeoutMs,
    allowSynchronousEvents: false,
    handshakeTimeout: handshakeTimeoutMs,
  };
  // An object of any kind: the types of ws declare a function of it otherwise than Node, which calls it.
  return new WebSocket(url, subprotocol, { ...options, ...(pinnedTls(certificate) as object) });
}

/** The same, for the client of the protocol. */
export function openPinnedSocket(certificate: string): OpenSocket {
  return (url, events) => adapt(openPinnedWebSocket(url, certificate), events);
}

export interface SeenCertificate {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256, as `AB:CD:...`. */
  readonly fingerprint: string;
}

/** The certificate that a server shows. Nothing is sent to it. Throws EditError 'connection-lost'. */
export async function seeCertificate(host: string, port: number): Promise<SeenCertificate> {
  const socket = connect({ host, port, rejectUnauthorized: false, timeout: handshakeTimeoutMs });
  socket.once('timeout', () => socket.destroy(new Error('it did not answer in time')));
  try {
    await once(socket, 'secureConnect');
    const seen = socket.getPeerX509Certificate();
    if (seen === undefined) throw new Error('it showed no certificate');
    return { certificate: seen.toString(), fingerprint: seen.fingerprint256 };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EditError(
      'connection-lost',
      `No companion server for other machines answers at ${host}:${port}: ${reason}.`,
      {
        hint: `Start it there with ${typed('serve --listen ADDRESS')}.`,
        cause: error,
      },
    );
  } finally {
    socket.destroy();
  }
}
