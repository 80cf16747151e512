// An edit of the engine with all the latents that it passed.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { EditSettings } from '../../protocol/edit-settings.ts';
import type { EditJob } from '../../companion-server/src/engine/run/edit-job.ts';
import { runEdit } from '../../companion-server/src/engine/run/edit.ts';
import type { Model } from '../../companion-server/src/engine/model/model.ts';
import { sizeOf, tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';

export interface RecordedEdit {
  /** By name: `clean`, `inversion.t{t}`, `noisiest.t{t}`, `start`, `edit.t{t}`, all [N, C, h, w]. */
  readonly latents: ReadonlyMap<string, Tensor>;
  /** [N, 3, H, W], 0..1, as its latents decode: what an encoder would lose is not lost. */
  readonly pictures: Tensor;
}

interface Moments {
  /** Sampling timesteps, falling. */
  readonly timesteps: readonly number[];
  /** The last timestep of the inversion. */
  readonly end: number;
}

/** Runs the job, which must be of the reference schedule and start at the first step. */
export async function recordEdit(
  job: EditJob & { readonly settings: EditSettings },
  model: Model,
  dims: readonly number[],
  { timesteps, end }: Moments,
): Promise<RecordedEdit> {
  const latents = new Map<string, Tensor>();
  const read = (file: string, slot: number) => readSlot(path.join(job.workDir, file), slot, dims);
  await runEdit(job, {
    onProgress: () => undefined,
    onResumePoint: ({ stage, step }) => {
      if (stage !== 'edit') return;
      if (step === 0) {
        latents.set('clean', read('source.latents', 0));
        timesteps.forEach((t, i) => latents.set(`inversion.t${t}`, read('source.latents', 1 + i)));
        latents.set(`noisiest.t${end}`, read('source.latents', 1 + timesteps.length));
      }
      latents.set(step === 0 ? 'start' : `edit.t${timesteps[step - 1] ?? ''}`, read('edit.latents', step % 2));
    },
  });
  const [, , height = 0, width = 0] = dims;
  const decoder = await model.openDecoder({ height, width });
  try {
    const last = latents.get(`edit.t${timesteps.at(-1) ?? ''}`);
    if (last === undefined) throw new Error('The edit ended before its last step.');
    const { dims: pictureDims, data } = await decoder.run(last);
    return { latents, pictures: { dims: pictureDims, data: data.map((value) => clamp(value / 2 + 0.5)) } };
  } finally {
    await decoder.release();
  }
}

/** A slot of a latent file (engine/source-cache/latent-file.ts): float32 records, frame after frame. */
function readSlot(file: string, slot: number, dims: readonly number[]): Tensor {
  const bytes = readFileSync(file);
  const size = 4 * sizeOf(dims);
  return tensor(dims, new Float32Array(new Uint8Array(bytes.subarray(slot * size, (slot + 1) * size)).buffer));
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
