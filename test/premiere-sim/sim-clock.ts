// Time that passes only when someone waits for it, so that a wait of a minute takes no time and is the same each run.
// While the machine works for real (ffmpeg cuts a film) time stands still.

import type { Clock } from '../../plugin/src/host/premiere/api.ts';

interface Task {
  readonly at: number;
  readonly run: () => void;
}

export class SimClock implements Clock {
  private time = 0;
  private tasks: Task[] = [];
  private readonly busy = new Set<Promise<unknown>>();

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const task = { at: this.time + ms, run };
    this.tasks.push(task);
    return () => {
      this.tasks = this.tasks.filter((one) => one !== task);
    };
  }

  async wait(ms: number): Promise<void> {
    const until = this.time + ms;
    for (;;) {
      await Promise.all(this.busy);
      const next = this.tasks.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.tasks = this.tasks.filter((one) => one !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = Math.max(this.time, until);
  }

  /** Time stands still until `work` has ended. */
  hold<T>(work: Promise<T>): Promise<T> {
    const done = (): void => void this.busy.delete(ended);
    const ended: Promise<void> = work.then(done, done);
    this.busy.add(ended);
    return work;
  }
}
