// Rows of a bench's table, and how their numbers are written.

import type { BenchRow } from './table.ts';

/** How a number is written. */
export type Unit = (value: number) => string;

export const percent: Unit = (share) => `${(100 * share).toFixed(1)} %`;
export const decibels: Unit = (value) => `${value.toFixed(1)} dB`;
export const ratio: Unit = (value) => value.toFixed(2);
export const pixels: Unit = (value) => `${value.toFixed(1)} pixels`;
export const seconds: Unit = (value) => `${value.toFixed(0)} s`;

/** A row that must reach at least `target`. NaN does not. */
export function atLeast(figure: string, value: number, target: number, unit: Unit): BenchRow {
  return { figure, value: unit(value), target: `>= ${unit(target)}`, isMet: value >= target };
}

/** A row that may come to at most `target`. NaN does not. */
export function atMost(figure: string, value: number, target: number, unit: Unit): BenchRow {
  return { figure, value: unit(value), target: `<= ${unit(target)}`, isMet: value <= target };
}

/** A row without a target. */
export function reported(figure: string, value: string): BenchRow {
  return { figure, value, target: '', isMet: true };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The share of `items` for which `isRight` holds; NaN when there are none. */
export function share<T>(items: readonly T[], isRight: (item: T) => boolean): number {
  return items.filter(isRight).length / items.length;
}
