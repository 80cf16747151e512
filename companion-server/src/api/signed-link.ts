// Links to results and to their videos that work without a token for a few minutes: for players and other programs that can
// only be given an address. A link is for one file of one client, and becomes invalid when the pairing ends.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FrameSide } from '../../../protocol/messages/stream-messages.ts';

export const linkLifetimeMs = 10 * 60 * 1000;

/** `result`, or the side of which it is the video. */
export type LinkedFile = 'result' | FrameSide;

export interface LinkTarget {
  readonly clientId: string;
  readonly jobId: string;
  readonly file: LinkedFile;
}

/** Path and query of a link that works until `expiresAt`. */
export function signLink(secret: Uint8Array, target: LinkTarget, expiresAt: Date): string {
  const expires = String(expiresAt.getTime());
  const query = new URLSearchParams({
    client: target.clientId,
    expires,
    signature: sign(secret, target, expires).toString('base64url'),
  });
  const { jobId, file } = target;
  const path = file === 'result' ? `/results/${jobId}` : `/playback/${jobId}/${file}`;
  return `${path}?${query.toString()}`;
}

/** What a link is for, or null when it was not signed here, was changed, has expired, or is for longer than links are. */
export function openLink(
  secret: Uint8Array,
  { jobId, file }: Pick<LinkTarget, 'jobId' | 'file'>,
  query: URLSearchParams,
  now: Date,
): LinkTarget | null {
  const [clientId, expires, signature] = ['client', 'expires', 'signature'].map((key) => query.get(key));
  if (clientId == null || expires == null || signature == null) return null;
  const target = { clientId, jobId, file };
  const given = Buffer.from(signature, 'base64url');
  const expected = sign(secret, target, expires);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const leftMs = Number(expires) - now.getTime();
  // No link is made for longer: a link that lasts longer was signed by someone who has read the secret.
  return leftMs > 0 && leftMs <= linkLifetimeMs ? target : null;
}

function sign(secret: Uint8Array, { clientId, jobId, file }: LinkTarget, expires: string): Buffer {
  return createHmac('sha256', secret).update(`${file}\n${clientId}\n${jobId}\n${expires}`).digest();
}
