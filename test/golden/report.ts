// One line per comparison, and the sum at the end.

import { maxAbsError } from '../numbers.ts';

export class GoldenReport {
  passed = 0;
  failed = 0;
  private readonly print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  compare(
    name: string,
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    limit: number,
  ): void {
    const error = maxAbsError(actual, expected);
    this.record(name, error <= limit, `${error.toExponential(2)}  limit ${limit.toExponential(0)}`);
  }

  record(name: string, isRight: boolean, finding: string): void {
    if (isRight) this.passed++;
    else this.failed++;
    this.print(`${isRight ? 'ok  ' : 'FAIL'}  ${name.padEnd(72)}  ${finding}`);
  }

  finish(): void {
    this.print(`golden: ${this.passed} passed, ${this.failed} failed`);
  }
}
