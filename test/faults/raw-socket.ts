// A WebSocket client that can do everything wrong: it writes frames bit by bit (RFC 6455, section 5.2) and reads what
// comes back.

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { socketPath, subprotocol } from '../../protocol/version.ts';

export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

export interface FrameShape {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  /** Default: true. */
  readonly fin?: boolean;
  /** The three reserved bits as one number, 0..7. Default: 0. */
  readonly reserved?: number;
  /** Default: true, as a client must. */
  readonly isMasked?: boolean;
  /** How the length is written: in 7, 16 or 64 bits. Default: the fewest. */
  readonly lengthBits?: 7 | 16 | 64;
  /** The length that is claimed. Default: the true one. */
  readonly claimedLength?: bigint;
}

const mask = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** The bytes of a frame. */
export function frame({
  opcode,
  payload = '',
  fin = true,
  reserved = 0,
  isMasked = true,
  ...length
}: FrameShape): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload);
  const claimed = length.claimedLength ?? BigInt(bytes.length);
  const bits = length.lengthBits ?? (claimed < 126n ? 7 : claimed < 65_536n ? 16 : 64);
  const header = Buffer.alloc(2 + (bits === 7 ? 0 : bits / 8));
  header[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  header[1] = (isMasked ? 0x80 : 0) | (bits === 7 ? Number(claimed) : bits === 16 ? 126 : 127);
  if (bits === 16) header.writeUInt16BE(Number(claimed), 2);
  if (bits === 64) header.writeBigUInt64BE(claimed, 2);
  if (!isMasked) return Buffer.concat([header, bytes]);
  return Buffer.concat([header, mask, bytes.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from([code >> 8, code & 0xff]);
  return Buffer.concat([bytes, typeof reason === 'string' ? Buffer.from(reason) : reason]);
}

export interface HeardFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export interface RawSocket {
  readonly tcp: Socket;
  /** The next frame of the server, or null when the connection has ended. */
  hear(): Promise<HeardFrame | null>;
}

/** Opens a TCP connection that goes when the test has finished. */
export async function openTcp(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const tcp = connectTcp(Number(port), hostname);
  onTestFinished(() => void tcp.destroy());
  // A server that ends a bad connection may do so while more is being written.
  tcp.on('error', () => undefined);
  await once(tcp, 'connect');
  return tcp.setNoDelay();
}

/** The text of an upgrade. Names of headers are in lower case. */
export function upgradeRequest(url: string, headers: Readonly<Record<string, string>> = {}): string {
  const usual = {
    host: new URL(url).host,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol': subprotocol,
  };
  const all = { ...usual, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${socketPath} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** Opens a connection and upgrades it. */
export async function openRawSocket(url: string): Promise<RawSocket> {
  const tcp = await openTcp(url);
  const reader = createReader(tcp);
  tcp.write(upgradeRequest(url));
  const head = await reader.take((bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    return end < 0 ? null : end + 4;
  });
  if (head?.toString().startsWith('HTTP/1.1 101 ') !== true) {
    throw new Error(`The upgrade was refused: ${head?.toString() ?? 'connection ended'}`);
  }
  return {
    tcp,
    async hear() {
      const bytes = await reader.take(frameLength);
      if (bytes === null) return null;
      return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(headerLength(bytes)) };
    },
  };
}

/** A server does not mask: header and payload, without a key in between. */
function headerLength(bytes: Buffer): number {
  const length = (bytes[1] ?? 0) & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0);
}

/** Bytes of the first frame of `bytes`, or null while it is not whole. */
function frameLength(bytes: Buffer): number | null {
  if (bytes.length < 2 || bytes.length < headerLength(bytes)) return null;
  const short = (bytes[1] ?? 0) & 0x7f;
  const payload = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const length = headerLength(bytes) + payload;
  return bytes.length < length ? null : length;
}

interface Reader {
  /** The first bytes, as many as `measure` says; null when the connection ends before. */
  take(measure: (bytes: Buffer) => number | null): Promise<Buffer | null>;
}

function createReader(tcp: Socket): Reader {
  let bytes = Buffer.alloc(0);
  let isEnded = false;
  let wake = (): void => undefined;
  tcp.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]);
    wake();
  });
  tcp.on('close', () => {
    isEnded = true;
    wake();
  });
  return {
    async take(measure) {
      for (;;) {
        const length = measure(bytes);
        if (length !== null) {
          const taken = bytes.subarray(0, length);
          bytes = bytes.subarray(length);
          return taken;
        }
        if (isEnded) return null;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
