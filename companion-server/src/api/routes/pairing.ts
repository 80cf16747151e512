// The pairing code, links that open the panel, and the list of pairings, for the server's own page and for the command
// line. Codes and keys are exchanged over the WebSocket only.

import { EditError } from '../../errors.ts';
import type { Pairings } from '../../pairing/pairings.ts';
import type { Reply, Route } from './route.ts';
import { typed } from '../../typed-command.ts';

export function pairingRoutes(pairings: Pairings): readonly Route[] {
  const state = (): Reply => {
    const current = pairings.currentCode();
    const code = current === null ? null : { code: current.code, expiresAt: current.expiresAt.toISOString() };
    return { json: { code, pairings: pairings.list() } };
  };
  return [
    { method: 'GET', path: '/pairing', access: 'owner', handle: state },
    {
      method: 'POST',
      path: '/pairing/code',
      access: 'owner',
      handle() {
        pairings.openCode();
        return state();
      },
    },
    {
      method: 'POST',
      path: '/pairing/link',
      access: 'owner',
      handle() {
        const { key, expiresAt } = pairings.openLink();
        return { json: { path: panelPath(key), expiresAt: expiresAt.toISOString() } };
      },
    },
    {
      method: 'POST',
      path: '/pairing/:clientId/revoke',
      access: 'local',
      handle({ parameters }) {
        const clientId = parameters['clientId'] ?? '';
        if (pairings.revoke(clientId)) return state();
        throw new EditError('invalid-request', 'There is no such pairing.', {
          hint: `See ${typed('pair --list')}.`,
        });
      },
    },
  ];
}

/** The panel's page with the key behind the #, which a browser sends to nobody. */
export function panelPath(key: string): string {
  return `/#open=${key}`;
}
