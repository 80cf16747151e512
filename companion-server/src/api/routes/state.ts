// Whether the server is there and which one it is. Anyone on this machine may know.

import { protocolVersion } from '../../../../protocol/version.ts';
import type { Route } from './route.ts';

export function stateRoutes(version: string): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      access: 'anyone',
      handle: () => ({ json: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/version',
      access: 'anyone',
      handle: () => ({ json: { name: 'tokenflow', version, protocol: protocolVersion } }),
    },
  ];
}
