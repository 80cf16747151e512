// One piece of media as it crosses the wire, in a binary WebSocket message:
//
//   byte 0      layout of this header, 1
//   bytes 1-3   zero
//   bytes 4-7   stream id, big endian
//   bytes 8-15  offset of the first media byte in the stream, big endian
//   bytes 16-   media

import { FieldError } from '../fields.ts';
import { chunkBytes } from '../limits.ts';

export const chunkHeaderBytes = 16;
const headerLayout = 1;

export interface Chunk {
  /** Given by the server when the upload or download began; 1..2^32-1. */
  readonly streamId: number;
  /** In bytes from the start of the stream. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Lays out a chunk. The media bytes are copied. */
export function encodeChunk({ streamId, offset, bytes }: Chunk): Uint8Array {
  const message = new Uint8Array(chunkHeaderBytes + bytes.length);
  writeChunkHeader(message, streamId, offset);
  message.set(bytes, chunkHeaderBytes);
  return message;
}

/** Writes the header of a message that already contains its media. */
export function writeChunkHeader(message: Uint8Array, streamId: number, offset: number): void {
  const header = new DataView(message.buffer, message.byteOffset, chunkHeaderBytes);
  header.setUint32(0, headerLayout << 24);
  header.setUint32(4, streamId);
  header.setBigUint64(8, BigInt(offset));
}

/** Reads a chunk; its bytes are a view into `message`. Throws FieldError. */
export function parseChunk(message: Uint8Array): Chunk {
  if (message.length <= chunkHeaderBytes || message.length > chunkHeaderBytes + chunkBytes) {
    throw new FieldError(
      'chunk',
      `must carry 1 to ${chunkBytes} media bytes after its ${chunkHeaderBytes} byte header, got a message of ${message.length} bytes.`,
    );
  }
  const header = new DataView(message.buffer, message.byteOffset, chunkHeaderBytes);
  if (header.getUint32(0) !== headerLayout << 24) {
    throw new FieldError('chunk.layout', `must be ${headerLayout}, got ${header.getUint8(0)}.`);
  }
  const offset = Number(header.getBigUint64(8));
  if (!Number.isSafeInteger(offset)) {
    throw new FieldError('chunk.offset', `must be below 2^53, got ${offset}.`);
  }
  return { streamId: header.getUint32(4), offset, bytes: message.subarray(chunkHeaderBytes) };
}
