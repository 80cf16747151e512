// A LatentStore in memory, for tests and golden comparisons.

import {
  concatRows,
  sliceRows,
  takeRows,
  type Tensor,
} from '../companion-server/src/tensor/tensor.ts';
import { frameRange, type LatentStore } from '../companion-server/src/tokenflow/latents.ts';

export class MemoryLatents implements LatentStore {
  tensor: Tensor;

  constructor(tensor: Tensor) {
    this.tensor = tensor;
  }

  get frameCount(): number {
    return this.tensor.dims[0] ?? 0;
  }

  read(indices: readonly number[]): Promise<Tensor> {
    return Promise.resolve(takeRows(this.tensor, indices));
  }

  write(start: number, latents: Tensor): Promise<void> {
    const end = start + (latents.dims[0] ?? 0);
    this.tensor = concatRows([
      sliceRows(this.tensor, 0, start),
      latents,
      sliceRows(this.tensor, end, this.frameCount),
    ]);
    return Promise.resolve();
  }
}

/** Counts how often each frame is written. */
export class CountingLatents extends MemoryLatents {
  readonly writes = new Map<number, number>();

  override write(start: number, latents: Tensor): Promise<void> {
    for (const frame of frameRange(start, start + (latents.dims[0] ?? 0))) {
      this.writes.set(frame, (this.writes.get(frame) ?? 0) + 1);
    }
    return super.write(start, latents);
  }
}
