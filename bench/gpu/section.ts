// What a part of the measurement gets and gives. Each runs in a process of its own: a driver that hangs or crashes
// costs one part and no more.

import type { Device } from '../../protocol/devices.ts';
import type { Execution } from '../../companion-server/src/onnx/execution.ts';
import type { BenchRow } from '../table.ts';
import type { TorchRequest } from '../torch.ts';
import type { CheckpointSize } from '../../test/random-checkpoint.ts';

/** Plain data: it travels to the part's process. */
export interface SectionInput {
  readonly section: string;
  readonly execution: Execution;
  readonly isQuick: boolean;
  /** Of the random checkpoint in `modelDir`. */
  readonly size: CheckpointSize;
  readonly modelDir: string;
  /** For what a part keeps until its end. */
  readonly workDir: string;
  /** Where pictures go. */
  readonly outDir: string;
  /** Floating-point operations per second that PyTorch reaches with one large product; null where it is not there. */
  readonly peakFlops: number | null;
  /** Milliseconds since the epoch at which the part should be done. */
  readonly endsAt: number;
}

/** What a part says on its way. Values that are measured are given as they are, and as a row for readers. */
export type SectionMessage =
  | {
      readonly kind: 'row';
      readonly row: BenchRow;
      readonly values: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'torch'; readonly request: TorchRequest };

export interface SectionContext extends SectionInput {
  /** A row of the table, with the numbers behind it. It is on the disk when this returns. */
  report(row: BenchRow, values?: Readonly<Record<string, unknown>>): void;
  log(line: string): void;
  /** Seconds that PyTorch takes, or null where it is not there. */
  torch(request: TorchRequest): Promise<number | null>;
  /** Whether there is time for something that takes `seconds`. */
  hasTime(seconds: number): boolean;
}

export interface Section {
  readonly name: string;
  /** Devices that it is run on; all but the CPU when left out. */
  readonly devices?: readonly Device[];
  /** It is not begun with less time left. */
  readonly leastSeconds: number;
  /** It is ended after this long, whatever is left. */
  readonly mostSeconds: number;
  measure(context: SectionContext): Promise<void>;
}

export function rowOf(figure: string, value: string, target = '', isMet = true): BenchRow {
  return { figure, value, target, isMet };
}
