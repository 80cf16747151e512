import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkHeaderBytes, encodeChunk, parseChunk } from './chunk.ts';
import { FieldError } from '../fields.ts';
import { chunkBytes } from '../limits.ts';

test('a chunk is read as it was laid out', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      fc.maxSafeNat(),
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      (streamId, offset, bytes) => {
        expect(parseChunk(encodeChunk({ streamId, offset, bytes }))).toEqual({
          streamId,
          offset,
          bytes,
        });
      },
    ),
  );
});

test('the header has the layout that docs/protocol.md describes', () => {
  const message = encodeChunk({
    streamId: 0x01020304,
    offset: 0x05_0607_0809,
    bytes: Uint8Array.of(255),
  });
  expect([...message]).toEqual([1, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 5, 6, 7, 8, 9, 255]);
});

test('a chunk within a larger buffer is read at its place', () => {
  const message = encodeChunk({ streamId: 7, offset: 9, bytes: Uint8Array.of(1, 2) });
  const buffer = new Uint8Array(100);
  buffer.set(message, 13);
  expect(parseChunk(buffer.subarray(13, 13 + message.length))).toMatchObject({
    streamId: 7,
    offset: 9,
  });
});

test.each([
  [new Uint8Array(chunkHeaderBytes), /must carry 1 to 524288 media bytes/],
  [new Uint8Array(chunkHeaderBytes + chunkBytes + 1), /got a message of 524305 bytes/],
  [new Uint8Array(20), 'chunk.layout must be 1, got 0.'],
  [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1, 255, 0, 0, 0, 0, 0, 0, 0, 1), /chunk.offset must be below/],
])('a chunk that is no chunk is refused', (message, complaint) => {
  expect(() => parseChunk(message)).toThrow(FieldError);
  expect(() => parseChunk(message)).toThrow(complaint);
});
