// The pairing code: short enough to be typed, shown by the server only, good for a few minutes and for one client.

import { createHash, randomInt, timingSafeEqual } from 'node:crypto';

/** Digits and capital letters that are not mistaken for another: no 0 and O, 1, I and L, U and V. */
const alphabet = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
const codeCharacters = 8;
export const codeLifetimeMs = 10 * 60 * 1000;

export interface OpenCode {
  /** As it is shown: `K7QF-3MXD`. */
  readonly code: string;
  readonly expiresAt: Date;
}

/** A code that cannot be guessed: one of 30^8, all equally likely. */
export function createCode(now: Date): OpenCode {
  const characters = Array.from({ length: codeCharacters }, () => alphabet[randomInt(alphabet.length)]);
  const half = codeCharacters / 2;
  return {
    code: `${characters.slice(0, half).join('')}-${characters.slice(half).join('')}`,
    expiresAt: new Date(now.getTime() + codeLifetimeMs),
  };
}

/** Whether a person typed this code: case, spaces and dashes do not matter. Takes equally long for any text. */
export function isSameCode(typed: string, code: string): boolean {
  return timingSafeEqual(digest(typed), digest(code));
}

function digest(code: string): Buffer {
  const bare = code.toUpperCase().replaceAll(/[\s-]/g, '');
  return createHash('sha256').update(bare).digest();
}
