// A RecordStore in memory, for tests. What was never written cannot be read.

import type { RecordStore, SourceRecords } from '../companion-server/src/tokenflow/fast-denoiser.ts';

export class MemoryRecords implements RecordStore {
  /** `step:frame` -> [2, T] */
  readonly records = new Map<string, readonly number[]>();
  private readonly writes = new Map<string, number>();

  write(step: number, frames: readonly number[], { nearest }: SourceRecords): Promise<void> {
    const size = nearest.length / frames.length;
    for (const [row, frame] of frames.entries()) {
      const key = `${step}:${frame}`;
      this.records.set(key, [...nearest.slice(row * size, (row + 1) * size)]);
      this.writes.set(key, (this.writes.get(key) ?? 0) + 1);
    }
    return Promise.resolve();
  }

  read(step: number, frames: readonly number[]): Promise<SourceRecords> {
    const rows = frames.map((frame) => {
      const record = this.records.get(`${step}:${frame}`);
      if (record === undefined) throw new RangeError(`Frame ${frame} was not recorded at step ${step}.`);
      return record;
    });
    return Promise.resolve({ nearest: Uint16Array.from(rows.flat()) });
  }

  /** The frames that were recorded at a step, rising, and how often each. */
  writesOf(step: number): (readonly [number, number])[] {
    return [...this.writes]
      .map(([key, times]) => [...key.split(':').map(Number), times] as [number, number, number])
      .filter(([at]) => at === step)
      .map(([, frame, times]) => [frame, times] as const)
      .sort(([a], [b]) => a - b);
  }
}
