// A CorrespondenceStore in memory, for tests. What was never written cannot be read.

import type { Correspondences, CorrespondenceStore } from '../companion-server/src/tokenflow/correspondences.ts';

export class MemoryCorrespondences implements CorrespondenceStore {
  /** `step:frame` -> [2, T] */
  readonly written = new Map<string, readonly number[]>();
  private readonly writes = new Map<string, number>();

  write(step: number, frames: readonly number[], { nearest }: Correspondences): Promise<void> {
    const size = nearest.length / frames.length;
    for (const [row, frame] of frames.entries()) {
      const key = `${step}:${frame}`;
      this.written.set(key, [...nearest.slice(row * size, (row + 1) * size)]);
      this.writes.set(key, (this.writes.get(key) ?? 0) + 1);
    }
    return Promise.resolve();
  }

  read(step: number, frames: readonly number[]): Promise<Correspondences> {
    const rows = frames.map((frame) => {
      const found = this.written.get(`${step}:${frame}`);
      if (found === undefined) throw new RangeError(`Frame ${frame} has no correspondences at step ${step}.`);
      return found;
    });
    return Promise.resolve({ nearest: Uint16Array.from(rows.flat()) });
  }

  /** The frames that were written at a step, rising, and how often each. */
  writesOf(step: number): (readonly [number, number])[] {
    return [...this.writes]
      .map(([key, times]) => [...key.split(':').map(Number), times] as [number, number, number])
      .filter(([at]) => at === step)
      .map(([, frame, times]) => [frame, times] as const)
      .sort(([a], [b]) => a - b);
  }
}
