// The first stage: the planned range of the clip -> its own latents.

import type { ClipInfo } from '../../media/probe/clip-info.ts';
import type { DecodingDamage } from '../../media/decode/frames.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import { readLatents } from './clip-latents.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import type { Model } from '../model/model.ts';

export interface InputOptions {
  readonly clip: ClipInfo;
  readonly model: Model;
  readonly plan: EditPlan;
  readonly signal: AbortSignal | undefined;
  /** Frames done so far. */
  readonly onFrames: (done: number) => void;
  readonly onDamage?: ((damage: DecodingDamage) => void) | undefined;
}

export async function readSource(
  latents: LatentStore,
  { clip, model, plan, signal, onFrames, onDamage }: InputOptions,
): Promise<void> {
  const vae = await model.openEncoder(plan.latentSize);
  try {
    await readLatents(clip, plan, vae, latents, { signal, onFrames, onDamage });
  } finally {
    await vae.release();
  }
}
