// A few frames' latents in memory.

import { sizeOf, takeRows, type Tensor } from '../tensor/tensor.ts';
import type { LatentStore } from './latents.ts';

export class InMemoryLatents implements LatentStore {
  /** [N, C, h, w] */
  readonly tensor: Tensor;

  constructor({ dims, data }: Tensor) {
    this.tensor = { dims, data: data.slice() };
  }

  get frameCount(): number {
    return this.tensor.dims[0] ?? 0;
  }

  read(indices: readonly number[]): Promise<Tensor> {
    return Promise.resolve(takeRows(this.tensor, indices));
  }

  write(start: number, { data }: Tensor): Promise<void> {
    this.tensor.data.set(data, start * sizeOf(this.tensor.dims.slice(1)));
    return Promise.resolve();
  }
}
