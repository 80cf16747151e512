// HMAC-SHA256 (RFC 2104) on the SHA-256 of the platform: UXP has no crypto.subtle.

import type { Platform, Sha256 } from './platform.ts';

const blockBytes = 64;

/**
 * `keyHex`: at most 64 bytes as hexadecimal digits. `text`: ASCII only, because UXP has no TextEncoder. Returns 64
 * lower-case hexadecimal digits.
 */
export function hmacSha256(createSha256: Platform['createSha256'], keyHex: string, text: string): string {
  const key = fromHex(keyHex);
  const padded = (filler: number): Uint8Array =>
    Uint8Array.from({ length: blockBytes }, (_, at) => (key[at] ?? 0) ^ filler);
  const hash = (...parts: readonly Uint8Array[]): string => {
    const sha256: Sha256 = createSha256();
    for (const part of parts) sha256.update(part);
    return sha256.digest();
  };
  const message = Uint8Array.from(text, (character) => character.charCodeAt(0));
  return hash(padded(0x5c), fromHex(hash(padded(0x36), message)));
}

function fromHex(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}
