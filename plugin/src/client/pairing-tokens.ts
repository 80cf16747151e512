// The token of the pairing in the host's storage for secrets. One that the server of this user has given is kept as such: no
// other server gets to see it, also when that one does not run and another program listens at its port.

import type { TokenStore } from '../../../protocol/client/session-options.ts';

const key = 'token';
const ownPrefix = 'own:';

interface SecretStorage {
  readSecret(key: string): Promise<string | null>;
  writeSecret(key: string, text: string | null): Promise<void>;
}

export function createPairingTokens(storage: SecretStorage): TokenStore {
  return {
    async read(isOwnServer) {
      const kept = await storage.readSecret(key);
      if (kept === null || !kept.startsWith(ownPrefix)) return kept;
      return isOwnServer ? kept.slice(ownPrefix.length) : null;
    },
    write: (token, isOwnServer) =>
      storage.writeSecret(key, token === null || !isOwnServer ? token : `${ownPrefix}${token}`),
  };
}
