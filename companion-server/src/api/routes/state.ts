// Whether the server is there and which one it is. Anyone on this machine may know.

import { protocolVersion } from '../../../../protocol/version.ts';
import { serverName } from '../../../../protocol/identity.ts';
import { EditError } from '../../errors.ts';
import type { ServerIdentity } from '../../pairing/identity.ts';
import { typed } from '../../typed-command.ts';
import type { Route } from './route.ts';

export function stateRoutes(version: string, identity: ServerIdentity): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      access: 'anyone',
      handle: () => ({ json: { status: 'ok' } }),
    },
    {
      // For the server's own page, which is the same file in a checkout and in an installed program.
      method: 'GET',
      path: '/commands',
      access: 'anyone',
      handle: () => ({
        json: {
          start: typed('start'),
          pair: typed('pair'),
          list: typed('pair --list'),
          revoke: typed('pair --revoke ID'),
        },
      }),
    },
    {
      method: 'GET',
      path: '/version',
      access: 'anyone',
      handle({ query, port }) {
        const { instanceId } = identity;
        const facts = { name: serverName, version, protocol: protocolVersion, instanceId };
        const nonce = query.get('nonce');
        if (nonce === null) return { json: facts };
        if (!/^[0-9a-f]{64}$/.test(nonce)) {
          throw new EditError('invalid-request', 'nonce must be 64 lower-case hexadecimal digits.');
        }
        return { json: { ...facts, proof: identity.proof(nonce, port) } };
      },
    },
  ];
}
