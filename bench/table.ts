// What a bench returns and how it is printed.

import type { Device } from '../protocol/devices.ts';

export interface BenchRow {
  /** What was measured. */
  readonly figure: string;
  /** The value with its unit, for instance `0.41 x` or `312 MB`. */
  readonly value: string;
  /** What it is judged by, or '' when it is only reported. */
  readonly target: string;
  readonly isMet: boolean;
}

export interface BenchOptions {
  readonly isQuick: boolean;
  /** Which of the bench's parts to run; null for all. */
  readonly only: readonly string[] | null;
  /** Which sample clips to measure on; null for all. */
  readonly clips: readonly string[] | null;
  /** How often contestants take turns; null for as often as a figure wants. */
  readonly rounds: number | null;
  /** What the variants are called and what they change. */
  readonly variants: readonly string[];
  /** Of the bench `gpu`: devices to measure, minutes that it may take, where its files go; null for the usual. */
  readonly gpu: {
    readonly devices: readonly Device[] | null;
    readonly minutes: number | null;
    readonly outDir: string | null;
  };
  /** Of the bench `official`: a copy of the official code; null where none is named. */
  readonly officialFolder: string | null;
  readonly log: (line: string) => void;
}

export interface Bench {
  readonly name: string;
  /** One sentence: what is compared with what. */
  readonly title: string;
  /** Parts that can be run by themselves. */
  readonly parts?: readonly string[];
  /** Whether it only runs when it is named. */
  readonly isOnDemand?: boolean;
  run(options: BenchOptions): Promise<readonly BenchRow[]>;
}

const columns = ['figure', 'value', 'target'] as const;

/** Rows as a Markdown table. */
export function formatTable(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ figure, value, target, isMet }) => [
    figure,
    value,
    target === '' ? '' : `${target}${isMet ? '' : ' (missed)'}`,
  ]);
  const all = [columns, ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(columns), rule, ...cells.map(line)].join('\n');
}

/** The rows of a table that `formatTable` has written. */
export function parseTable(text: string): readonly BenchRow[] {
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) => {
    const [figure = '', value = '', judged = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const target = judged.replace(/ \(missed\)$/, '');
    return { figure, value, target, isMet: target === judged };
  });
}
