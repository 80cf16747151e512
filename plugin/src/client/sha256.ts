// SHA-256 in plain JavaScript, piece by piece: UXP has no crypto.subtle, and a browser's takes the whole at once.

import { sha256 } from '@noble/hashes/sha2.js';
import type { Sha256 } from '../../../protocol/client/platform.ts';

export function createSha256(): Sha256 {
  const hash = sha256.create();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    update(piece) {
      hash.update(piece);
      bytes += piece.length;
    },
    digest: () => Array.from(hash.clone().digest(), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}
