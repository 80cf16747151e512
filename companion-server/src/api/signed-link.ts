// Links to results that work without a token for a few minutes: for players and other programs that can only be given
// an address. A link is for one result of one client, and becomes invalid when the pairing ends.

import { createHmac, timingSafeEqual } from 'node:crypto';

export const linkLifetimeMs = 10 * 60 * 1000;

export interface LinkTarget {
  readonly clientId: string;
  readonly jobId: string;
}

/** Path and query of a link that works until `expiresAt`. */
export function signLink(secret: Uint8Array, target: LinkTarget, expiresAt: Date): string {
  const expires = String(expiresAt.getTime());
  const query = new URLSearchParams({
    client: target.clientId,
    expires,
    signature: sign(secret, target, expires).toString('base64url'),
  });
  return `/results/${target.jobId}?${query.toString()}`;
}

/** What a link is for, or null when it was not signed here, was changed, has expired, or is for longer than links are. */
export function openLink(secret: Uint8Array, jobId: string, query: URLSearchParams, now: Date): LinkTarget | null {
  const [clientId, expires, signature] = ['client', 'expires', 'signature'].map((key) => query.get(key));
  if (clientId == null || expires == null || signature == null) return null;
  const target = { clientId, jobId };
  const given = Buffer.from(signature, 'base64url');
  const expected = sign(secret, target, expires);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const leftMs = Number(expires) - now.getTime();
  // No link is made for longer: a link that lasts longer was signed by someone who has read the secret.
  return leftMs > 0 && leftMs <= linkLifetimeMs ? target : null;
}

function sign(secret: Uint8Array, { clientId, jobId }: LinkTarget, expires: string): Buffer {
  return createHmac('sha256', secret).update(`result\n${clientId}\n${jobId}\n${expires}`).digest();
}
