// What `npm run demo` shows.

import type { Rgb24Frame } from '../media/frame.ts';
import type { Comparison } from './comparison.ts';

export interface DemoFindings {
  /** What the clip shows, and what it was made to show. */
  readonly caption: string;
  readonly prompt: string;
  /** The original first, then the edits. */
  readonly comparison: Comparison;
  /** Another edit of the same clip by TokenFlow. */
  readonly second: SecondEdit | null;
}

export interface SecondEdit {
  readonly prompt: string;
  readonly frames: readonly Rgb24Frame[];
  /** From the request to the file. */
  readonly seconds: number;
}
