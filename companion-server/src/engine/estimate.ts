// What an edit will take, before it starts: nothing is loaded but the clip's and the checkpoint's headers.

import { probeClip } from '../media/probe.ts';
import type { Size } from '../media/frame.ts';
import { chooseSettings, readEditDefaults } from './edit-defaults.ts';
import type { EditJob } from './edit-job.ts';
import { countEvaluations, planEdit } from './edit-plan.ts';
import { planSchedules } from './edit-schedules.ts';
import { LatentFile } from './latent-file.ts';
import { readModelShape } from './model.ts';
import { SourceLatents } from './source-latents.ts';

export interface EditEstimate {
  readonly frames: number;
  readonly workingSize: Size;
  /** UNet forwards of one latent, as the edit's report counts them. */
  readonly unetEvaluations: { readonly inversion: number; readonly sampling: number };
  /** Most that the edit's latents take on disk while it runs. */
  readonly diskBytes: number;
}

/** Throws the EditError that the edit itself would throw at its start. */
export async function estimateEdit(job: EditJob): Promise<EditEstimate> {
  const clip = await probeClip(job.inputPath);
  const model = await readModelShape(job.modelDir);
  const settings = chooseSettings(job.settings, await readEditDefaults(job.modelDir));
  const plan = planEdit(clip, model, settings);
  const { sampling, inversion } = planSchedules(model.scheduler, settings, plan);
  const frameDims = [model.unet.latentChannels, plan.latentSize.height, plan.latentSize.width];
  const { frameCount } = plan;
  // The edit's own latents are two moments that take turns.
  const latentBytes =
    SourceLatents.sizeBytes(
      { frameCount, frameDims, timesteps: sampling.timesteps },
      plan.startStep,
    ) + LatentFile.sizeBytes({ frameCount, frameDims, moments: 2 });
  return {
    frames: plan.frameCount,
    workingSize: plan.size.scaled,
    unetEvaluations: countEvaluations(plan, settings, inversion.timesteps.length),
    diskBytes: latentBytes,
  };
}
