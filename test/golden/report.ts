// One line per comparison, and the sum at the end.

import { maxAbsError } from '../numbers.ts';

/** One comparison. */
export interface GoldenEntry {
  readonly name: string;
  readonly isRight: boolean;
  /** Largest absolute error, where numbers were compared. */
  readonly error: number | null;
  /** Frames that differ by more than rounding, where frames were compared one by one. */
  readonly strayFrames: number | null;
}

export class GoldenReport {
  passed = 0;
  failed = 0;
  readonly entries: GoldenEntry[] = [];
  private readonly print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  compare(name: string, actual: ArrayLike<number>, expected: ArrayLike<number>, limit: number): void {
    const error = maxAbsError(actual, expected);
    const finding = `${error.toExponential(2)}  limit ${limit.toExponential(0)}`;
    this.record(name, error <= limit, finding, { error });
  }

  record(
    name: string,
    isRight: boolean,
    finding: string,
    { error = null, strayFrames = null }: Partial<GoldenEntry> = {},
  ): void {
    if (isRight) this.passed++;
    else this.failed++;
    this.entries.push({ name, isRight, error, strayFrames });
    this.print(`${isRight ? 'ok  ' : 'FAIL'}  ${name.padEnd(72)}  ${finding}`);
  }

  finish(): void {
    this.print(`golden: ${this.passed} passed, ${this.failed} failed`);
  }
}
