// Draws the panel's icons: a film frame with a wave running through it. Run by hand when the drawing changes; the
// results are kept in plugin/icons.
//
//   node scripts/panel/draw-icons.mjs

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

const folder = fileURLToPath(new URL('../../plugin/icons/', import.meta.url));
const samples = 6;

/** Distance from a rounded box around the middle, in the drawing's unit square; negative inside. */
function boxDistance(x, y, half, radius) {
  const dx = Math.max(Math.abs(x - 0.5) - half + radius, 0);
  const dy = Math.max(Math.abs(y - 0.5) - half + radius, 0);
  return Math.hypot(dx, dy) - radius;
}

/** Whether a point belongs to the sign: the frame's outline, or the wave. */
function isInk(x, y) {
  const frame = boxDistance(x, y, 0.43, 0.12);
  if (frame > 0) return false;
  if (frame > -0.085) return true;
  const wave = 0.5 - 0.17 * Math.sin((x - 0.5) * Math.PI * 2.4);
  const slope = 0.17 * 2.4 * Math.PI * Math.cos((x - 0.5) * Math.PI * 2.4);
  return Math.abs(y - wave) / Math.hypot(1, slope) < 0.055;
}

const themes = {
  // Ink for a dark surface and for a light one; nothing behind it.
  dark: { ink: [222, 222, 222], tile: null },
  light: { ink: [70, 70, 70], tile: null },
  // For lists of plugins, on a tile of its own.
  plugin: { ink: [255, 255, 255], tile: [84, 72, 190] },
};

function draw(size, { ink, tile }) {
  const pixels = Buffer.alloc(size * size * 4);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      let inked = 0;
      let tiled = 0;
      for (let part = 0; part < samples * samples; part += 1) {
        const x = (column + ((part % samples) + 0.5) / samples) / size;
        const y = (row + (Math.floor(part / samples) + 0.5) / samples) / size;
        // On a tile the sign is smaller.
        const scale = tile === null ? 1 : 1.45;
        if (isInk(0.5 + (x - 0.5) * scale, 0.5 + (y - 0.5) * scale)) inked += 1;
        if (tile !== null && boxDistance(x, y, 0.5, 0.2) <= 0) tiled += 1;
      }
      const inkShare = inked / samples ** 2;
      const tileShare = tiled / samples ** 2;
      const alpha = Math.max(inkShare, tileShare);
      const at = (row * size + column) * 4;
      for (let channel = 0; channel < 3; channel += 1) {
        const behind = tile?.[channel] ?? ink[channel];
        pixels[at + channel] = Math.round(ink[channel] * inkShare + behind * (1 - inkShare));
      }
      pixels[at + 3] = Math.round(alpha * 255);
    }
  }
  return encodePng(size, pixels);
}

function encodePng(size, pixels) {
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0; row < size; row += 1) {
    pixels.copy(rows, row * (size * 4 + 1) + 1, row * size * 4, (row + 1) * size * 4);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

mkdirSync(folder, { recursive: true });
const drawings = [
  ['panel-dark.png', 23, themes.dark],
  ['panel-dark@2x.png', 46, themes.dark],
  ['panel-light.png', 23, themes.light],
  ['panel-light@2x.png', 46, themes.light],
  ['plugin.png', 48, themes.plugin],
  ['plugin@2x.png', 96, themes.plugin],
];
for (const [name, size, theme] of drawings) {
  writeFileSync(path.join(folder, name), draw(size, theme));
}
