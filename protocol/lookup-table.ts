// A colour lookup table that a user names, so that a model is shown log footage as a picture that it understands: read
// from the text of a .cube file, and sent as a clip of one frame, like everything else that a client uploads.

import { EditError } from './errors.ts';
import { hex, object, type Infer } from './fields.ts';

/** How settings name a table that the client has uploaded. */
export const lookupTableName = object({
  /** Of the clip of one frame that `lookupTableClip` makes. */
  sha256: hex(64),
});
export type LookupTableName = Infer<typeof lookupTableName>;

export interface LookupTable {
  /** 1: a curve for each channel. 3: a colour for each point of a cube. */
  readonly dimensions: 1 | 3;
  /** Points of each axis. */
  readonly size: number;
  /** r, g, b of each point, 0..1; red changes fastest, then green. 3 · size^dimensions of them. */
  readonly samples: Float32Array;
}

/** Characters of a .cube file, and points of an axis. Cameras' and editors' tables have 17 to 65. */
export const tableLimits = { characters: 32 * 1024 ** 2, curve: 16_384, cube: 65 } as const;

/** The endings of files that `parseCube` reads. */
export const cubeExtension = '.cube';

const maxShown = 60;

/**
 * The table in the text of a .cube file (Adobe, Cube LUT Specification 1.0; also as DaVinci Resolve writes it, with one table
 * in the file). Values outside 0..1, which no picture shows, become 0 or 1. `name` is for messages. Throws
 * EditError('invalid-request') that names the line.
 */
export function parseCube(text: string, name: string): LookupTable {
  if (text.length > tableLimits.characters) {
    throw refusal(
      name,
      `may have ${tableLimits.characters} characters, it has ${text.length}`,
      'Save it with 33 points.',
    );
  }
  // A video, say: its bytes are not for a terminal.
  if (text.includes('\0')) throw refusal(name, 'is no text', 'Give a file in the format .cube.');
  let shape: Pick<LookupTable, 'dimensions' | 'size'> | null = null;
  let samples: Float32Array | null = null;
  let at = 0;
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const place = `line ${index + 1}`;
    const words = line.split(/\s+/);
    const [word = ''] = words;
    if (/^[A-Z]/i.test(word) && !/^(nan|inf)/i.test(word)) {
      if (at > 0) throw refusal(name, `has words behind its first colour, in ${place}: ${shown(line)}`);
      const size = /^LUT_([13])D_SIZE$/.exec(word);
      if (size !== null) {
        if (shape !== null) {
          throw refusal(name, `has two tables, the second in ${place}`, 'Save a curve and a cube as one cube.');
        }
        shape = shapeOf(size[1] === '1' ? 1 : 3, words, name, place);
        samples = new Float32Array(3 * shape.size ** shape.dimensions);
      } else requireKnown(word, words, name, place, line);
      continue;
    }
    if (samples === null)
      throw refusal(name, `has a colour before its size (LUT_3D_SIZE), in ${place}: ${shown(line)}`);
    const colour = words.map(Number);
    if (words.length !== 3 || colour.some((value) => !Number.isFinite(value))) {
      throw refusal(name, `must have three numbers in ${place}, it has: ${shown(line)}`);
    }
    if (at === samples.length) throw refusal(name, `has more colours than its size says, the first in ${place}`);
    for (const value of colour) samples[at++] = Math.min(1, Math.max(0, value));
  }
  if (shape === null || samples === null) {
    throw refusal(name, 'has no size (LUT_1D_SIZE or LUT_3D_SIZE)', 'Give a file in the format .cube.');
  }
  if (at < samples.length) {
    throw refusal(name, `must have ${samples.length / 3} colours, it has ${at / 3}`, 'Save it again.');
  }
  return { ...shape, samples };
}

function shapeOf(
  dimensions: 1 | 3,
  words: readonly string[],
  name: string,
  place: string,
): Pick<LookupTable, 'dimensions' | 'size'> {
  const size = Number(words[1]);
  const most = dimensions === 1 ? tableLimits.curve : tableLimits.cube;
  if (words.length === 2 && Number.isInteger(size) && size >= 2 && size <= most) return { dimensions, size };
  throw refusal(
    name,
    `must have 2 to ${most} points a side, got ${shown(words.slice(1).join(' '))} in ${place}`,
    `Save it with ${dimensions === 1 ? 1_024 : 33}.`,
  );
}

/** Words of the format: a title, and the input that the first and the last point stand for, which must be 0 and 1. */
function requireKnown(word: string, words: readonly string[], name: string, place: string, line: string): void {
  if (word === 'TITLE') return;
  const values = words.slice(1).map(Number);
  const isDomain = word === 'DOMAIN_MIN' || word === 'DOMAIN_MAX';
  if (!isDomain && !/^LUT_[13]D_INPUT_RANGE$/.test(word)) {
    throw refusal(name, `has an unknown word in ${place}: ${shown(line)}`, 'Give a file in the format .cube.');
  }
  const wanted = word === 'DOMAIN_MIN' ? [0, 0, 0] : word === 'DOMAIN_MAX' ? [1, 1, 1] : [0, 1];
  const isWanted =
    values.length === wanted.length && values.every((value, i) => Math.abs(value - (wanted[i] ?? 0)) < 1e-3);
  if (isWanted) return;
  throw refusal(
    name,
    `must be for codes from 0 to 1, ${place} says ${shown(line)}`,
    "Save it for the camera's codes, not for linear light.",
  );
}

function shown(text: string): string {
  return `'${text.slice(0, maxShown)}'`;
}

function refusal(name: string, what: string, hint?: string): EditError {
  return new EditError('invalid-request', `The lookup table ${shown(name)} ${what}.`, { hint });
}

/**
 * The clip of one frame that a table is sent as: YUV4MPEG2 with planes of 16 bits that hold red, green and blue. A cube is
 * size^2 wide and size high, a curve is one row.
 */
export function lookupTableClip({ dimensions, size, samples }: LookupTable): Uint8Array {
  const [width, height] = dimensions === 1 ? [size, 1] : [size ** 2, size];
  const header = `YUV4MPEG2 W${width} H${height} F25:1 Ip A1:1 C444p16\nFRAME\n`;
  const points = width * height;
  const bytes = new Uint8Array(header.length + 6 * points);
  for (let i = 0; i < header.length; i++) bytes[i] = header.charCodeAt(i);
  for (let point = 0; point < points; point++) {
    for (let c = 0; c < 3; c++) {
      const code = Math.round(65_535 * (samples[3 * point + c] ?? 0));
      const at = header.length + 2 * (c * points + point);
      bytes[at] = code & 255;
      bytes[at + 1] = code >> 8;
    }
  }
  return bytes;
}

/** The table in the planes of such a clip; null where the picture has no such shape. */
export function lookupTableOf(
  { width, height }: { readonly width: number; readonly height: number },
  planes: readonly ArrayLike<number>[],
): LookupTable | null {
  const isCurve = height === 1 && width >= 2 && width <= tableLimits.curve;
  const isCube = height >= 2 && height <= tableLimits.cube && width === height ** 2;
  if (!isCurve && !isCube) return null;
  const samples = new Float32Array(3 * width * height);
  for (let i = 0; i < samples.length; i++) samples[i] = (planes[i % 3]?.[Math.floor(i / 3)] ?? 0) / 65_535;
  return { dimensions: isCurve ? 1 : 3, size: isCurve ? width : height, samples };
}
