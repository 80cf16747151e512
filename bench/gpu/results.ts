// What is measured, on the disk as soon as it is known: a machine that goes away takes nothing with it.

import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BenchRow } from '../table.ts';

export interface Measured {
  readonly section: string;
  readonly device: string;
  /** Seconds since the measurement began. */
  readonly at: number;
  readonly row: BenchRow;
  readonly values: Readonly<Record<string, unknown>>;
}

export class Results {
  readonly rows: BenchRow[] = [];
  private readonly measured: Measured[] = [];
  private readonly start = performance.now();
  private readonly file: string;
  private readonly logFile: string;
  private readonly print: (line: string) => void;

  /** `outDir` is made when it is missing. */
  constructor(outDir: string, print: (line: string) => void) {
    mkdirSync(outDir, { recursive: true });
    this.file = path.join(outDir, 'gpu.json');
    this.logFile = path.join(outDir, 'gpu.log');
    this.print = print;
    writeFileSync(this.logFile, '');
  }

  get seconds(): number {
    return (performance.now() - this.start) / 1000;
  }

  add(section: string, device: string, row: BenchRow, values: Readonly<Record<string, unknown>> = {}): void {
    const named = { ...row, figure: device === '' ? row.figure : `${device}: ${row.figure}` };
    this.rows.push(named);
    this.measured.push({
      section,
      device,
      at: Number(this.seconds.toFixed(1)),
      row: named,
      values,
    });
    const text = JSON.stringify({ date: new Date().toISOString(), measured: this.measured }, null, 1);
    writeFileSync(`${this.file}.part`, text);
    renameSync(`${this.file}.part`, this.file);
    this.log(
      `${named.figure}: ${named.value}${named.target === '' ? '' : ` (${named.target}${named.isMet ? '' : ', missed'})`}`,
    );
  }

  log(line: string): void {
    const stamped = `${this.seconds.toFixed(1).padStart(6)} s  ${line}`;
    appendFileSync(this.logFile, `${stamped}\n`);
    this.print(stamped);
  }
}
