// Whether a network predicts noise or velocity, where nothing in its file says so: one run of it shows.

import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PredictionType } from '../../diffusion/scheduler-config.ts';
import { predicting, type FamilyCheckpoint } from '../../families/open-checkpoint.ts';
import { isMissing } from '../../files/disk-error.ts';
import { writeWhole } from '../../files/write-whole.ts';
import type { LatentSize } from '../../nets/denoising-network.ts';
import { plainPass } from '../../nets/pass.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import type { Denoiser } from '../../tokenflow/denoiser.ts';
import { cacheAdvice } from '../source-cache/cache-advice.ts';
import { identifyModel } from './model-identity.ts';

/** The latents of the run are so large, in latents. */
export const probeSize: LatentSize = { height: 8, width: 8 };

const constant = 0.5;
const timestep = 999;
/** Tokens of the run's conditioning. */
const promptTokens = 2;
/** On average, the prediction of noise is near the input, and that of velocity is far below it. */
const velocityBelow = -1;

/**
 * Runs the network once, on latents and conditioning of 0.5 at timestep 999: mean(prediction - latents) < -1 means velocity.
 * Source: the rule of AUTOMATIC1111's web UI and of stable-diffusion.cpp for Stable Diffusion 2.x.
 * @param network its latents are [1, `channels`, 8, 8], its conditioning [1, 2, `textWidth`]
 * Throws EditError('result-invalid') for a network that computes nonsense.
 */
export async function probePrediction(
  denoiser: Pick<Denoiser, 'run'>,
  { channels, textWidth }: { readonly channels: number; readonly textWidth: number },
): Promise<PredictionType> {
  const latents = constantTensor([1, channels, probeSize.height, probeSize.width]);
  const { prediction } = await denoiser.run(plainPass, {
    latents: { source: latents },
    timestep,
    conditioning: { source: { tokens: constantTensor([1, promptTokens, textWidth]) } },
  });
  const values = prediction.source?.data;
  if (values === undefined) throw new TypeError('The run of the network returned no prediction.');
  const mean = values.reduce((sum, value) => sum + value - constant, 0) / values.length;
  return mean < velocityBelow ? 'v_prediction' : 'epsilon';
}

function constantTensor(dims: readonly number[]): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  return tensor(dims, new Float32Array(size).fill(constant));
}

/** The checkpoint with what an earlier run has shown; as it is where nothing is uncertain, or there was no run. */
export async function withKeptPrediction(checkpoint: FamilyCheckpoint, cacheDir: string): Promise<FamilyCheckpoint> {
  if (!checkpoint.isPredictionUncertain) return checkpoint;
  const kept = await readFile(await keptFile(checkpoint, cacheDir), 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw error;
  });
  const prediction = kept.trim();
  // A file that a power failure has cut short is as good as none.
  return prediction === 'epsilon' || prediction === 'v_prediction' ? shown(checkpoint, prediction) : checkpoint;
}

/** Keeps what a run has shown, for every later opening of the same weights in any folder. Throws EditError('disk-full'). */
export async function keepPrediction(
  checkpoint: FamilyCheckpoint,
  prediction: PredictionType,
  cacheDir: string,
): Promise<FamilyCheckpoint> {
  const file = await keptFile(checkpoint, cacheDir);
  await mkdir(path.dirname(file), { recursive: true });
  await writeWhole(file, `${prediction}\n`, cacheAdvice);
  return shown(checkpoint, prediction);
}

/** By the UNet alone: where other parts come from makes no difference. */
async function keptFile({ parts, ...checkpoint }: FamilyCheckpoint, cacheDir: string): Promise<string> {
  const unet = [...parts].filter(([folder]) => folder === 'unet');
  const identity = await identifyModel({ ...checkpoint, parts: new Map(unet), tokenizers: new Map(), modelIndex: {} });
  return path.join(cacheDir, 'predictions', identity);
}

function shown(checkpoint: FamilyCheckpoint, prediction: PredictionType): FamilyCheckpoint {
  const [what, option] = prediction === 'epsilon' ? ['noise', 'v'] : ['velocity', 'epsilon'];
  const notice = `The model's file does not say what its network predicts; a run of it shows ${what}. If the picture is wrong, use --prediction ${option}.`;
  return { ...predicting(checkpoint, prediction), notices: [...checkpoint.notices, notice] };
}
