// A picture -> PNG (ISO/IEC 15948), with Node's own deflate: not every ffmpeg can write one.

import { crc32, deflateSync } from 'node:zlib';
import { requireRgb24, type Picture } from '../frame.ts';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const channels = 3;
const paeth = 4;
/** 8 bits, RGB, deflate, adaptive filters, not interlaced (11.2.2). */
const format = [8, 2, 0, 0, 0];

/** Without loss: 8-bit RGB. Throws RangeError for a picture that is no rgb24. */
export function encodePng(picture: Picture): Uint8Array {
  requireRgb24('encodePng', picture);
  const { width, height } = picture;
  const head = Buffer.alloc(8 + format.length);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set(format, 8);
  const pixels = deflateSync(filtered(picture), { level: 9 });
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

/** Every row behind the number of its filter; all by Paeth's (9.4). */
function filtered({ width, height, rgb }: Picture): Uint8Array {
  const rowBytes = width * channels;
  const rows = new Uint8Array(height * (rowBytes + 1));
  const at = (y: number, x: number): number => (y < 0 || x < 0 ? 0 : (rgb[y * rowBytes + x] ?? 0));
  for (let y = 0; y < height; y++) {
    const row = y * (rowBytes + 1);
    rows[row] = paeth;
    for (let x = 0; x < rowBytes; x++) {
      const left = at(y, x - channels);
      const above = at(y - 1, x);
      rows[row + 1 + x] = at(y, x) - predict(left, above, at(y - 1, x - channels));
    }
  }
  return rows;
}

/** The neighbour that is nearest to `left + above - corner`; of equals the first. */
function predict(left: number, above: number, corner: number): number {
  const estimate = left + above - corner;
  const toLeft = Math.abs(estimate - left);
  const toAbove = Math.abs(estimate - above);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
}
