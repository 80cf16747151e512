// Which client sends an HTTP request, by the token in the Authorization header, and what it may do.

import { createHash, timingSafeEqual } from 'node:crypto';
import { EditError } from '../errors.ts';
import { localClient, type Client, type Pairings } from '../pairing/pairings.ts';
import type { Access } from './routes/route.ts';

export interface AccessDeps {
  readonly pairings: Pick<Pairings, 'authenticate'>;
  /** What the server's own page sends to prove itself: a part of the address that the server printed. */
  readonly pageKey: string;
}

/** The client, or null when no token is needed. Throws EditError 'not-paired' when the client lacks this access. */
export function requireAccess(
  access: Access,
  authorization: string | undefined,
  { pairings, pageKey }: AccessDeps,
): Client | null {
  if (access === 'anyone') return null;
  const token = /^Bearer +(\S{1,200})$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new EditError('not-paired', 'A token is asked for here.', {
      hint: 'Send it as "Authorization: Bearer TOKEN".',
    });
  }
  if (access === 'owner' && isSame(token, pageKey)) return localClient;
  const client = pairings.authenticate(token);
  if (client === null) throw new EditError('not-paired', 'The token is of no pairing.');
  if (access === 'client' || client.clientId === localClient.clientId) return client;
  throw new EditError('not-paired', 'Only the user who runs the server may do this.');
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
