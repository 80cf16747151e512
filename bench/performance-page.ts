// docs/performance.md: every bench has a section in it, between two markers.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatTable, parseTable, type Bench, type BenchRow } from './table.ts';

const page = path.join(import.meta.dirname, '..', 'docs', 'performance.md');

/**
 * Replaces the bench's section. Of a bench that was run in part, rows that were not measured again stay, as long as
 * they are of the same machine and day.
 */
export async function writeSection(
  { name }: Bench,
  machine: string,
  rows: readonly BenchRow[],
  isPart: boolean,
): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [before, rest] = text.split(begin);
  const [section, after] = rest?.split(end) ?? [];
  if (before === undefined || section === undefined || after === undefined) {
    throw new Error(`${page} has no section ${begin}.`);
  }
  const source = `${machine}; ${new Date().toISOString().slice(0, 10)}`;
  const kept = isPart && section.includes(source) ? parseTable(section) : [];
  const table = formatTable(mergeRows(kept, rows));
  await writeFile(page, `${before}${begin}\n${source}\n\n${table}\n${end}${after}`);
}

/** `rows` in the places of their elders, which may be of fewer or more rounds; new ones at the end. */
export function mergeRows(kept: readonly BenchRow[], rows: readonly BenchRow[]): readonly BenchRow[] {
  const fresh = new Map(rows.map((row) => [subjectOf(row), row]));
  const known = new Set(kept.map(subjectOf));
  const places = [...kept, ...rows.filter((row) => !known.has(subjectOf(row)))];
  return places.map((row) => fresh.get(subjectOf(row)) ?? row);
}

const subjectOf = ({ figure }: BenchRow): string => figure.replace(/, median of \d+$/, '');
