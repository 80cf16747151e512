// Which companion server answers at an address, and how it proves that it is the one of this user.

import { hex, integer, object, openObject, parse, text, type Infer } from './fields.ts';

/** What a server says of itself to anyone, over the socket (`identity`) and at `/version`. */
export const identityFields = {
  name: text({ min: 1, max: 100 }),
  version: text({ min: 1, max: 100 }),
  /** Of the protocol. */
  protocol: integer(1, 1_000_000),
  /** The same for every server on one data folder. */
  instanceId: hex(32),
  /** For the nonce that was sent; see `proofText`. */
  proof: hex(64),
};

const identity = object(identityFields);
export type Identity = Infer<typeof identity>;

/** Throws FieldError when `value` is not what a companion server answers. */
export function parseIdentity(value: unknown): Identity {
  return parse(identity, value, 'identity');
}

export const serverName = 'tokenflow';

/**
 * The text whose HMAC-SHA256 with the panels' key (32 bytes) proves that a server has the key. With the port in it, a
 * program that listens at another port cannot pass on the proof of the real server. `nonce`: 64 hexadecimal digits.
 */
export function proofText(nonce: string, port: number): string {
  return `tokenflow ${port} ${nonce}`;
}

/**
 * What a running server leaves in its data folder for the panels and the command line of its user. The file has more
 * fields than a panel needs.
 */
const serverNote = openObject({
  port: integer(1, 65_535),
  instanceId: hex(32),
  /** The key of the panels: proves the server, and pairs a panel without a code. */
  panelKey: hex(64),
});
export type ServerNote = Infer<typeof serverNote>;

/** Reads the file's text. Throws FieldError or SyntaxError when it is not whole. */
export function parseServerNote(json: string): ServerNote {
  return parse(serverNote, JSON.parse(json), 'server.json');
}

/** The file in the data folder. */
export const serverNoteName = 'server.json';
