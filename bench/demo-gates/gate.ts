// What a gate is: one property that the embedded model must have, measured with the product's own engine.

import type { Sample } from '../../companion-server/src/demo/samples.ts';
import type { Model } from '../../companion-server/src/engine/model.ts';
import type { BenchRow } from '../table.ts';
import type { Editor } from './editor.ts';
import type { Judge } from './judge.ts';
import type { Sheets } from './sheets.ts';

export interface GateContext {
  readonly modelDir: string;
  readonly model: Model;
  readonly judge: Judge;
  readonly editor: Editor;
  /** The sample clips to measure on. */
  readonly samples: readonly Sample[];
  /** A sample that ends within a minute. */
  readonly isQuick: boolean;
  /** Edits take so many frames of a clip from its start, or null for the whole clip. */
  readonly editedFrames: number | null;
  /** Where pictures go, or null when none are wanted. */
  readonly sheets: Sheets | null;
  readonly log: (line: string) => void;
}

export interface Gate {
  readonly name: string;
  /** One sentence: what is measured, on what. */
  readonly title: string;
  /** Whether a quick run takes it. */
  readonly isQuick: boolean;
  /** A row with a target is a gate; a row without is only reported. */
  run(context: GateContext): Promise<readonly BenchRow[]>;
}

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

/** How a number is written. */
export type Unit = (value: number) => string;

export const percent: Unit = (share) => `${(100 * share).toFixed(1)} %`;
export const decibels: Unit = (value) => `${value.toFixed(1)} dB`;
export const ratio: Unit = (value) => value.toFixed(2);
export const seconds: Unit = (value) => `${value.toFixed(0)} s`;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The share of `items` for which `isRight` holds; NaN when there are none. */
export function share<T>(items: readonly T[], isRight: (item: T) => boolean): number {
  return items.filter(isRight).length / items.length;
}
