// Whether the network of a checkpoint in one file predicts noise or velocity. Shapes do not tell.

import type { CheckpointFile } from '../../weights/checkpoint-file.ts';
import { readStoredTensor } from '../../weights/safetensors.ts';
import type { PredictionEvidence } from '../family.ts';

export interface FoundPrediction {
  /** Velocity (arXiv 2202.00512), else noise. */
  readonly isVelocity: boolean;
  readonly evidence: PredictionEvidence;
  /** Whether it was trained with no signal left at the last timestep (arXiv 2305.08891). */
  readonly hasZeroSnr: boolean;
}

/** A tensor whose spread differs between the two kinds of Stable Diffusion 2.x; found by ComfyUI (supported_models.py). */
const tellingKey = 'model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias';
/** Standard deviations above it are of networks that predict velocity. */
const threshold = 0.09;
/** So near to the threshold the rule decides nothing. */
const margin = 0.02;

/**
 * By what the file says: its key `v_pred`, its metadata, the settings beside it; for Stable Diffusion 2.x by the spread of one
 * tensor. Throws EditError('model-damaged').
 */
export async function findPrediction(file: CheckpointFile, version: 1 | 2): Promise<FoundPrediction> {
  const has = (key: string): boolean => file.tensors.has(key) || file.others.has(key);
  const hasZeroSnr = has('ztsnr');
  if (has('v_pred')) return { isVelocity: true, evidence: 'said', hasZeroSnr };
  const said = file.settings.get('parameterization') ?? file.metadata.get('modelspec.prediction_type');
  if (said !== undefined && /^(eps|epsilon|v|v_prediction)$/.test(said)) {
    return { isVelocity: said.startsWith('v'), evidence: 'said', hasZeroSnr: false };
  }
  if (version === 1) return { isVelocity: false, evidence: 'usual', hasZeroSnr: false };
  const telling = file.tensors.get(tellingKey);
  if (telling === undefined) return { isVelocity: false, evidence: 'uncertain', hasZeroSnr: false };
  const spread = deviation((await readStoredTensor(telling)).data);
  const evidence = Math.abs(spread - threshold) < margin ? 'uncertain' : 'said';
  return { isVelocity: spread > threshold, evidence, hasZeroSnr: false };
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
