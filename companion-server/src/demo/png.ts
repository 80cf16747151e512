// Writes a picture as PNG (ISO/IEC 15948): 8-bit RGB, every row with Paeth's filter, one IDAT chunk.

import { crc32, deflateSync } from 'node:zlib';
import type { Rgb24Frame } from '../media/frame.ts';

const paethFilter = 4;
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The bytes of a PNG file. */
export function encodePng({ width, height, rgb }: Rgb24Frame): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // bits per channel, RGB, deflate, adaptive filters, not interlaced
  const rows = Buffer.alloc(height * (1 + 3 * width)); // each row starts with its filter
  for (let y = 0; y < height; y++) {
    const start = y * (1 + 3 * width);
    rows[start] = paethFilter;
    filterRow(rgb, y, 3 * width, rows.subarray(start + 1, start + 1 + 3 * width));
  }
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Row `y` of `length` bytes as differences from the neighbour that predicts each byte best (section 9.4). */
function filterRow(bytes: Uint8Array, y: number, length: number, out: Uint8Array): void {
  const row = y * length;
  for (let i = 0; i < length; i++) {
    const left = i < 3 ? 0 : (bytes[row + i - 3] ?? 0);
    const up = y === 0 ? 0 : (bytes[row - length + i] ?? 0);
    const corner = i < 3 || y === 0 ? 0 : (bytes[row - length + i - 3] ?? 0);
    const [toLeft, toUp] = [Math.abs(up - corner), Math.abs(left - corner)];
    const toCorner = Math.abs(left + up - 2 * corner);
    const nearest = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    out[i] = (bytes[row + i] ?? 0) - nearest;
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'ascii'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
