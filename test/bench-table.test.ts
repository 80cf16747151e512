// The tables of docs/performance.md: written, read back, and renewed in part.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeRows } from '../bench/performance-page.ts';
import { formatTable, parseTable, type BenchRow } from '../bench/table.ts';

const text = fc.stringMatching(/^[a-z0-9:%<=>]([a-z0-9 :%<=>.-]*[a-z0-9:%<=>])?$/);
const row = fc
  .record({
    figure: text,
    value: text,
    target: fc.oneof(fc.constant(''), text),
    isMet: fc.boolean(),
  })
  .map((one) => ({ ...one, isMet: one.isMet || one.target === '' }));

const measured = (figure: string, value: string, isMet = true): BenchRow => ({
  figure,
  value,
  target: '<= 1',
  isMet,
});

describe('a table of performance', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        expect(parseTable(`2 x CPU; today\n\n${formatTable(rows)}\n`)).toEqual(rows);
      }),
    );
  });

  test('says which targets were missed', () => {
    const table = formatTable([measured('time', '2', false)]);
    expect(table).toContain('| <= 1 (missed) |');
    expect(parseTable(table)[0]?.isMet).toBe(false);
  });

  test('that is measured in part keeps the rest, in its order', () => {
    const kept = [measured('time', '0.5'), measured('memory', '0.9')];
    const rows = [measured('memory', '1.2', false), measured('seams', '1.0')];
    expect(mergeRows(kept, rows)).toEqual([kept[0], rows[0], rows[1]]);
  });

  test('keeps one row of a figure, however many rounds it is the median of', () => {
    const kept = [measured('wall time, median of 2', '0.5'), measured('memory', '0.9')];
    const rows = [measured('wall time, median of 5', '0.4')];
    expect(mergeRows(kept, rows)).toEqual([rows[0], kept[1]]);
  });
});
