import { expect, test } from 'vitest';
import { lookupTableClip, lookupTableOf, parseCube, tableLimits } from './lookup-table.ts';

/** 2 points a side, red fastest: each colour is its own place, but green is halved. */
const cube = [
  '# made by hand',
  'TITLE "half green"',
  'LUT_3D_SIZE 2',
  'DOMAIN_MIN 0.0 0.0 0.0',
  'DOMAIN_MAX 1.0 1.0 1.0',
  '',
  ...['0 0 0', '1 0 0', '0 0.5 0', '1 0.5 0', '0 0 1', '1 0 1', '0 0.5 1', '1 0.5 1'],
].join('\r\n');
const curve = ['LUT_1D_SIZE 3', 'LUT_1D_INPUT_RANGE 0.0 1.0', '0 0 0', '0.25 0.5 0.75', '1 1 1'].join('\n');

test('a cube and a curve are read with red first', () => {
  const { dimensions, size, samples } = parseCube(cube, 'half.cube');
  expect([dimensions, size, samples.length]).toEqual([3, 2, 24]);
  expect(Array.from(samples.subarray(3, 9))).toEqual([1, 0, 0, 0, 0.5, 0]);
  const read = parseCube(curve, 'curve.cube');
  expect([read.dimensions, read.size]).toEqual([1, 3]);
  expect(Array.from(read.samples)).toEqual([0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]);
});

test('a table that was sent as a clip is the same again, to 16 bits', () => {
  for (const table of [parseCube(cube, 'half.cube'), parseCube(curve, 'curve.cube')]) {
    const clip = lookupTableClip(table);
    const text = Array.from(clip.subarray(0, 60), (byte) => String.fromCharCode(byte)).join('');
    const [, width, height] = /^YUV4MPEG2 W(\d+) H(\d+) F25:1 Ip A1:1 C444p16\nFRAME\n/.exec(text) ?? [];
    const points = Number(width) * Number(height);
    const body = clip.slice(clip.length - 6 * points);
    const planes = [0, 1, 2].map((c) => new Uint16Array(body.buffer, 2 * c * points, points));
    const again = lookupTableOf({ width: Number(width), height: Number(height) }, planes);
    expect(again).toMatchObject({ dimensions: table.dimensions, size: table.size });
    for (const [i, value] of table.samples.entries()) expect(again?.samples[i]).toBeCloseTo(value, 4);
  }
});

test('a picture of another shape is no table', () => {
  expect(lookupTableOf({ width: 64, height: 36 }, [])).toBeNull();
  expect(lookupTableOf({ width: 1, height: 1 }, [])).toBeNull();
});

test('values that no picture shows become the nearest that one shows', () => {
  const bright = parseCube(curve.replace('1 1 1', '1.5 -0.2 1'), 'bright.cube');
  expect(Array.from(bright.samples.slice(-3))).toEqual([1, 0, 1]);
});

test.each([
  ['', 'has no size (LUT_1D_SIZE or LUT_3D_SIZE)'],
  ['<html>', 'must'],
  ['\0\0\0 ftypisom', 'is no text'],
  ['0 0 0', 'has a colour before its size'],
  ['LUT_3D_SIZE 1', "must have 2 to 65 points a side, got '1' in line 1"],
  ['LUT_3D_SIZE 9000', "must have 2 to 65 points a side, got '9000'"],
  ['LUT_1D_SIZE 100000', 'must have 2 to 16384 points a side'],
  ['LUT_1D_SIZE 2\n0 0 0', 'must have 2 colours, it has 1'],
  ['LUT_1D_SIZE 2\n0 0 0\n1 1 1\n2 2 2', 'has more colours than its size says, the first in line 4'],
  ['LUT_1D_SIZE 2\n0 0 NaN\n1 1 1', "must have three numbers in line 2, it has: '0 0 NaN'"],
  ['LUT_1D_SIZE 2\n0 0\n1 1 1', 'must have three numbers in line 2'],
  ['LUT_1D_SIZE 2\nLUT_3D_SIZE 2', 'has two tables, the second in line 2'],
  ['LUT_1D_SIZE 2\n0 0 0\nTITLE "late"', 'has words behind its first colour, in line 3'],
  ['LUT_1D_SIZE 2\nDOMAIN_MAX 8 8 8', "must be for codes from 0 to 1, line 2 says 'DOMAIN_MAX 8 8 8'"],
  ['LUT_1D_SIZE 2\nGAMMA 2.2', "has an unknown word in line 2: 'GAMMA 2.2'"],
])('what is no table is refused by its line: %j', (text, message) => {
  expect(() => parseCube(text, 'log.cube')).toThrow(`The lookup table 'log.cube' `);
  if (message !== 'must') expect(() => parseCube(text, 'log.cube')).toThrow(message);
});

test('too long a text is refused before it is read', () => {
  const long = ' '.repeat(tableLimits.characters + 1);
  expect(() => parseCube(long, 'long.cube')).toThrow(`may have ${tableLimits.characters} characters`);
});
