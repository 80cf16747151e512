// Latents in memory that count how often each frame is written.

import type { Tensor } from '../companion-server/src/tensor/tensor.ts';
import { InMemoryLatents } from '../companion-server/src/tokenflow/in-memory-latents.ts';
import { frameRange } from '../companion-server/src/tokenflow/latents.ts';

export class CountingLatents extends InMemoryLatents {
  readonly writes = new Map<number, number>();

  override write(start: number, latents: Tensor): Promise<void> {
    for (const frame of frameRange(start, start + (latents.dims[0] ?? 0))) {
      this.writes.set(frame, (this.writes.get(frame) ?? 0) + 1);
    }
    return super.write(start, latents);
  }
}
