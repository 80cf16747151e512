// Pairing with a companion server on another machine.

import { createClient } from '../../../protocol/client/client.ts';
import { commandTiming } from '../../../protocol/client/timing.ts';
import { EditError } from '../errors.ts';
import { nodePlatform } from './node-platform.ts';
import { openPinnedSocket } from './pinned-socket.ts';

export interface PinnedPairing {
  /** For example `https://render-box:47864`. */
  readonly url: string;
  /** PEM: the only certificate that the server may have. */
  readonly certificate: string;
  /** The pairing code that is shown there. */
  readonly code: string;
  /** Of this program. */
  readonly version: string;
}

/** Exchanges the code for a token. Throws EditError: 'pairing-refused', 'connection-lost', 'version-mismatch'. */
export async function pairPinned({ url, certificate, code, version }: PinnedPairing): Promise<string> {
  const kept: { token: string | null } = { token: null };
  const client = createClient({
    server: url,
    client: { name: 'another companion server', version },
    tokens: {
      read: () => Promise.resolve(kept.token),
      write(next) {
        kept.token = next;
        return Promise.resolve();
      },
    },
    platform: { ...nodePlatform, openSocket: openPinnedSocket(certificate) },
    timing: commandTiming(0),
  });
  try {
    await client.pair(code);
  } finally {
    await client.stop();
  }
  if (kept.token === null) throw new EditError('internal', 'The other machine gave no token.');
  return kept.token;
}
