// Reads along on one direction of a WebSocket and notes which media went by, to the byte: also of a frame that was cut.

import { chunkHeaderBytes } from '../../protocol/messages/chunk.ts';

export interface MediaSeen {
  /** Offset of the first media byte, in its stream; null when none went by. */
  readonly firstOffset: number | null;
  readonly mediaBytes: number;
}

export interface MediaCounter {
  read(bytes: Uint8Array): void;
  seen(): MediaSeen;
}

const binary = 2;

export function createMediaCounter(): MediaCounter {
  let pending = Buffer.alloc(0);
  let isUpgraded = false;
  /** Payload bytes of the current frame that are still to come; it counts as media behind its chunk header. */
  let restBytes = 0;
  let isMedia = false;
  let firstOffset: number | null = null;
  let mediaBytes = 0;

  /** Reads what is complete at the beginning of `pending`; false when more is needed. */
  function step(): boolean {
    if (!isUpgraded) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return false;
      pending = pending.subarray(end + 4);
      isUpgraded = true;
      return true;
    }
    if (restBytes > 0) {
      const length = Math.min(restBytes, pending.length);
      if (length === 0) return false;
      if (isMedia) mediaBytes += length;
      restBytes -= length;
      pending = pending.subarray(length);
      return true;
    }
    return beginFrame();
  }

  function beginFrame(): boolean {
    if (pending.length < 2) return false;
    const [first = 0, second = 0] = pending;
    const shortLength = second & 0x7f;
    const lengthBytes = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0;
    const isMasked = (second & 0x80) !== 0;
    const headerBytes = 2 + lengthBytes + (isMasked ? 4 : 0);
    isMedia = (first & 0x0f) === binary;
    if (pending.length < headerBytes + (isMedia ? chunkHeaderBytes : 0)) return false;
    restBytes =
      lengthBytes === 0
        ? shortLength
        : lengthBytes === 2
          ? pending.readUInt16BE(2)
          : Number(pending.readBigUInt64BE(2));
    if (isMedia) {
      const mask = isMasked ? pending.subarray(headerBytes - 4, headerBytes) : Buffer.alloc(4);
      const chunkHeader = Buffer.from(
        pending
          .subarray(headerBytes, headerBytes + chunkHeaderBytes)
          .map((byte, index) => byte ^ (mask[index % 4] ?? 0)),
      );
      firstOffset ??= Number(chunkHeader.readBigUInt64BE(8));
      restBytes -= chunkHeaderBytes;
    }
    pending = pending.subarray(headerBytes + (isMedia ? chunkHeaderBytes : 0));
    return true;
  }

  return {
    read(bytes) {
      pending = Buffer.concat([pending, bytes]);
      while (step());
    },
    seen: () => ({ firstOffset, mediaBytes }),
  };
}
