// A lookup table of the user there and back: curves and cubes as cameras' makers and graders give them.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LookupTable } from '../../../protocol/lookup-table.ts';
import { shownByTable, storedByTable } from './table-colours.ts';
import { logTable, rec709OfLog } from './testing/lookup-tables.ts';

type Colour = readonly [number, number, number];

/** 0..255 as the table shows codes of 0..1. */
function show(colour: Colour, table: LookupTable): readonly number[] {
  return Array.from(
    shownByTable(
      Uint16Array.from(colour, (code) => Math.round(65_535 * code)),
      table,
    ),
  );
}

/** Codes 0..1 of a shown colour, 0..255. */
function store(colour: Colour, table: LookupTable): readonly number[] {
  const [r, g, b] = colour.map((value) => Float32Array.of(value)) as [Float32Array, Float32Array, Float32Array];
  return storedByTable([r, g, b], table).map(([code = 0]) => code / 255);
}

/** As a film look: channels influence each other, and contrast is an S. */
function lookOf([r, g, b]: Colour): Colour {
  const mixed: Colour = [0.85 * r + 0.1 * g + 0.05 * b, 0.06 * r + 0.88 * g + 0.06 * b, 0.03 * r + 0.12 * g + 0.85 * b];
  return mixed.map((value) => value * value * (3 - 2 * value)) as unknown as Colour;
}

const tables = {
  'a curve': logTable(1, 1_024),
  'a cube': logTable(3, 33),
  'a cube with a look': logTable(3, 33, (colour) => lookOf(colour.map(rec709OfLog) as unknown as Colour)),
} as const;

describe.each(Object.entries(tables))('%s', (_, table) => {
  test('shows what its makers say between its points, within three codes', () => {
    const exact = table === tables['a cube with a look'] ? (value: number) => lookOf([value, value, value])[0] : null;
    for (let code = 0; code <= 1; code += 1 / 64) {
      const wanted = rec709OfLog(code);
      const [red = 0] = show([code, code, code], table);
      expect(Math.abs(red - 255 * (exact === null ? wanted : exact(wanted)))).toBeLessThanOrEqual(3);
    }
  });

  test('finds codes that it shows as the wanted colour', () => {
    const code = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(code, code, code, (r, g, b) => {
        const wanted = show([r, g, b], table) as unknown as Colour;
        const found = store(wanted, table) as unknown as Colour;
        for (const [c, value] of show(found, table).entries())
          expect(Math.abs(value - (wanted[c] ?? 0))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  test('gives equal codes to equal colours, inside 0 to 1 for colours that it never shows', () => {
    for (const colour of [
      [300, -20, 0],
      [0, 255, 0],
      [255, 255, 255],
    ] as const) {
      const found = store(colour, table);
      expect(store(colour, table)).toEqual(found);
      for (const value of found) expect(value >= 0 && value <= 1).toBe(true);
    }
  });
});

test('a table that shows everything alike leaves finite codes', () => {
  const flat: LookupTable = { dimensions: 3, size: 2, samples: new Float32Array(24).fill(0.5) };
  expect(show([0.1, 0.5, 0.9], flat)).toEqual([128, 128, 128]);
  for (const value of store([10, 128, 250], flat)) expect(value >= 0 && value <= 1).toBe(true);
});
