// One case of the framing tests, and what its bytes are made with.

import { frame, opcodes } from './raw-socket.ts';

/** What the server sends: the reply to a request, a pong, or its end of the connection. */
export type Heard =
  | { readonly reply: number }
  | { readonly pong: string }
  /** One of these codes; null stands for a close frame without a code. */
  | { readonly close: readonly (number | null)[] };

export interface FramingCase {
  readonly section: string;
  readonly name: string;
  /** Each is written to the network on its own. */
  readonly sends: readonly Buffer[];
  /** All that is heard, in this order. Without a close the connection must go on. */
  readonly hears: readonly Heard[];
}

export const protocolError: Heard = { close: [1002] };

export const bytesOf = (...bytes: readonly number[]): Buffer => Buffer.from(bytes);

/** A message that the server answers by an error with this id: proof that it arrived as it was sent. */
export const message = (requestId: number, filling: Uint8Array | string = ''): Buffer =>
  Buffer.concat([
    Buffer.from(`{"type":"none","requestId":${requestId},"x":"`),
    typeof filling === 'string' ? Buffer.from(filling) : filling,
    Buffer.from('"}'),
  ]);

/** `bytes` in `count` pieces as even as they go. */
export function cut(bytes: Buffer, count: number): Buffer[] {
  const at = (i: number): number => Math.floor((i * bytes.length) / count);
  return Array.from({ length: count }, (_, i) => bytes.subarray(at(i), at(i + 1)));
}

export const byteByByte = (bytes: Buffer): Buffer[] => cut(bytes, bytes.length);

/** The frames of one message in pieces. */
export function fragments(pieces: readonly Buffer[], opcode: number = opcodes.text): Buffer[] {
  return pieces.map((payload, i) =>
    frame({
      opcode: i === 0 ? opcode : opcodes.continuation,
      payload,
      fin: i === pieces.length - 1,
    }),
  );
}
