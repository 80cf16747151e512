// What a bench returns and how it is printed.

export interface BenchRow {
  /** What was measured. */
  readonly figure: string;
  /** The value with its unit, for instance `0.41 x` or `312 MB`. */
  readonly value: string;
  /** What it is judged by, or '' when it is only reported. */
  readonly target: string;
  readonly isMet: boolean;
}

export interface Bench {
  readonly name: string;
  /** One sentence: what is compared with what. */
  readonly title: string;
  run(options: { readonly isQuick: boolean; readonly log: (line: string) => void }): Promise<readonly BenchRow[]>; // prettier-ignore
}

/** Rows as a Markdown table. */
export function formatTable(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ figure, value, target, isMet }) => [
    figure,
    value,
    target === '' ? '' : `${target}${isMet ? '' : ' (missed)'}`,
  ]);
  const all = [['figure', 'value', 'target'], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(all[0] ?? []), rule, ...cells.map(line)].join('\n');
}
