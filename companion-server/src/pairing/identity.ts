// How a client of this user knows which server answers at a port. Another user of the machine may listen there, and copy
// everything that a server says in public. The key of the panels is in a file that only this user can read; who can prove
// that he has it is the server of this user.

import { createHmac } from 'node:crypto';
import { proofText } from '../../../protocol/identity.ts';

export interface ServerIdentity {
  /** 32 hexadecimal digits, the same for every server on this data folder. */
  readonly instanceId: string;
  /** HMAC-SHA256 (RFC 2104) over `proofText`, 64 hexadecimal digits. `port` is the one at which the client has connected. */
  proof(nonce: string, port: number): string;
}

/** `panelKey`: 64 hexadecimal digits, new at every start of the server. */
export function createIdentity(instanceId: string, panelKey: string): ServerIdentity {
  return {
    instanceId,
    proof: (nonce, port) =>
      createHmac('sha256', Buffer.from(panelKey, 'hex')).update(proofText(nonce, port)).digest('hex'),
  };
}
