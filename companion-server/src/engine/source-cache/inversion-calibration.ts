// How well a clip is reconstructed from its inverted latents, measured on a few frames before the edit: they are
// inverted, sampled back with the source prompt, and compared with the VAE's own reconstruction of them.

import { stepDdim } from '../../diffusion/ddim.ts';
import type { Schedule } from '../../diffusion/schedule.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import { cropFrame } from '../../media/working-size.ts';
import { tensorToFrame } from '../../media/pixels.ts';
import { psnr } from '../../metrics/psnr.ts';
import { sliceRows, tensor, type Tensor } from '../../tensor/tensor.ts';
import { predict, type Denoiser } from '../../tokenflow/denoiser.ts';
import { InMemoryLatents } from '../../tokenflow/in-memory-latents.ts';
import { invert } from '../../tokenflow/inversion.ts';
import type { LatentStore } from '../../tokenflow/latents.ts';
import type { ChosenSettings } from '../plan/edit-defaults.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import { firstInversionSteps, forwardsPerStep } from '../plan/edit-schedules.ts';
import type { SourceAnalysis } from './inversion-entry.ts';
import type { Model } from '../model/model.ts';

/** The parts of an edit that the measurement needs. */
export interface CalibratedEdit {
  readonly denoiser: Denoiser;
  readonly sampling: Schedule;
  readonly settings: ChosenSettings;
  readonly plan: Pick<EditPlan, 'frameCount' | 'latentSize' | 'size'>;
  readonly model: Pick<Model, 'openDecoder'>;
}

/** A number of forwards that is about to be tried. */
export interface CalibrationTry {
  readonly inversionSteps: number;
  /** UNet forwards of one latent that the calibration will have taken with this try and those before it. */
  readonly evaluations: number;
}

/** Frames that are measured, evenly spread. */
const measuredFrames = 2;
/** A short clip is measured on one. */
const framesPerMeasured = 10;
/** From here on the reconstruction looks like the VAE's own. Forwards are added until this value is reached. */
export const enoughDecibels = 32;
/** Most forwards, as a multiple of the settings'. */
export const mostForwards = 4;
/** A smaller gain does not justify twice the forwards. */
const worthDecibels = 1;

/**
 * Takes the settings' forwards at first (twice as many for a few frames) and doubles them until the measured frames are found again to 32 dB, to four
 * times the settings', or until a doubling gains less than 1 dB. Returns the smallest number within 1 dB of the best, and the
 * quality that it reaches. The inversion is always complete, even for SDEdit, which begins in the middle: so one
 * inversion serves all techniques.
 * @param onTry called before each try
 */
export async function calibrateInversion(
  edit: CalibratedEdit,
  text: Conditioning,
  clean: LatentStore,
  onTry: (one: CalibrationTry) => void = () => undefined,
): Promise<Omit<SourceAnalysis, 'cuts' | 'damage'>> {
  const { frameCount } = edit.plan;
  const count = measuredCount(frameCount);
  const rows = Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * frameCount) / count));
  const original = await clean.read(rows);
  const { inversionSteps: usual } = edit.settings;
  const first = firstInversionSteps(edit.settings, frameCount);
  const tried: { readonly inversionSteps: number; readonly reconstructionPsnr: number }[] = [];
  let evaluations = 0;
  for (let inversionSteps = first; inversionSteps <= mostForwards * usual; inversionSteps *= 2) {
    evaluations += count * (inversionSteps + edit.settings.steps);
    onTry({ inversionSteps, evaluations });
    const found = await thereAndBack(edit, inversionSteps, text, original);
    const reconstructionPsnr = await compare(edit, original, found);
    const before = tried.at(-1)?.reconstructionPsnr ?? -Infinity;
    tried.push({ inversionSteps, reconstructionPsnr });
    // If the model does not know the content of a clip, more iterations gain nothing or make it worse.
    if (reconstructionPsnr >= enoughDecibels || reconstructionPsnr < before + worthDecibels) break;
  }
  const best = Math.max(...tried.map(({ reconstructionPsnr }) => reconstructionPsnr));
  const isClose = ({ reconstructionPsnr }: (typeof tried)[number]) => reconstructionPsnr > best - worthDecibels;
  return tried.find(isClose) ?? { inversionSteps: first, reconstructionPsnr: best };
}

function measuredCount(frameCount: number): number {
  return Math.max(1, Math.min(measuredFrames, Math.floor(frameCount / framesPerMeasured)));
}

/** Forwards of a frame that the calibration takes where the first of its tries is enough. */
export function calibrationEvaluations(
  settings: Pick<ChosenSettings, 'calibrates' | 'inversionSteps' | 'steps'>,
  { frameCount }: Pick<EditPlan, 'frameCount'>,
): number {
  if (!settings.calibrates) return 0;
  return measuredCount(frameCount) * (firstInversionSteps(settings, frameCount) + settings.steps);
}

async function thereAndBack(
  { denoiser, sampling, settings }: CalibratedEdit,
  inversionSteps: number,
  text: Conditioning,
  original: Tensor,
): Promise<Tensor> {
  const held = () => new InMemoryLatents(tensor(original.dims));
  const [even, odd] = [new InMemoryLatents(original), held()];
  const noise = [held(), held(), held()] as const;
  let steps = 0;
  for await (const step of invert({
    denoiser,
    schedule: sampling,
    conditioning: text,
    latents: even,
    next: odd,
    startStep: 0,
    method: {
      name: 'fixed-point',
      iterations: forwardsPerStep(settings, inversionSteps),
      noiseAt: (index) => noise[index % noise.length] ?? noise[0],
      earlier: null,
      cache: null,
    },
    keep: () => undefined,
    chunkSize: original.dims[0] ?? 1,
  })) {
    steps = step;
  }
  let latents = (steps % 2 === 0 ? even : odd).tensor;
  for (const timestep of sampling.timesteps) {
    const prediction = await predict(denoiser, latents, timestep, text);
    latents = stepDdim(latents, prediction, timestep, sampling);
  }
  return latents;
}

/** Mean PSNR of the decoded frames. */
async function compare({ model, plan }: CalibratedEdit, a: Tensor, b: Tensor): Promise<number> {
  const vae = await model.openDecoder(plan.latentSize);
  try {
    let sum = 0;
    const count = a.dims[0] ?? 0;
    for (let row = 0; row < count; row++) {
      const [one, other] = [await decode(a, row), await decode(b, row)];
      sum += Math.min(mostDecibels, psnr(one, other));
    }
    return sum / count;
  } finally {
    await vae.release();
  }

  async function decode(latents: Tensor, row: number) {
    const image = await vae.run(sliceRows(latents, row, row + 1));
    return cropFrame(tensorToFrame(image, row), plan.size);
  }
}

/** The PSNR of equal frames is infinite, and a mean with it would be infinite too. */
const mostDecibels = 99;
