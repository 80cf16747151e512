// What an edit will take, stage by stage: its work, counted from the networks' shapes, at the pace of this machine.

import type { ModelOutline } from '../../families/family.ts';
import { buildPassGraph } from '../../nets/pass-graph.ts';
import { noInjection, plainPass, type Pass } from '../../nets/pass.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { Graph } from '../../onnx/graph.ts';
import { multiplyAdds } from '../../onnx/graph-work.ts';
import { withoutFiles } from '../../tensor/stored-tensor.ts';
import { vaeFloat } from '../model/vae-float.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import { frameInversionPass, samplingPasses } from '../../tokenflow/step-passes.ts';
import { plannedStages, type MeasuredPace, type Pace, type PlannedStage } from './pace.ts';
import type { MeasuredStage, StageForecast } from '../run/progress-meter.ts';

/** Work of each stage in billions of multiply-adds. */
export type StageWork = Readonly<Record<PlannedStage, number>>;

/** What is left to do. */
export interface EditWorkload {
  /** Whether the inversion of an earlier edit is used: nothing is decoded and nothing inverted. */
  readonly isTaken: boolean;
  /** UNet forwards of one latent, those of the calibration included. */
  readonly inversion: number;
  readonly sampling: number;
  /** Of a frame in a step of the inversion. */
  readonly forwardsPerStep: number;
  /** Of sampling. */
  readonly steps: number;
  /** Pictures that the VAE decodes for each frame: another one where the result has the clip's detail. */
  readonly decodings: 1 | 2;
}

/** Counted for one frame of each graph that does most of the work; what keyframes need on top is left out. */
export function stageWork(
  model: Pick<ModelOutline, 'unet' | 'vae' | 'weights' | 'promptTokens'>,
  plan: EditPlan,
  { float, fused }: Pick<Execution, 'float' | 'fused'>,
  { isTaken, inversion, forwardsPerStep, steps, sampling, decodings }: EditWorkload,
): StageWork {
  const { latentSize, frameCount, keyframeCount, cachedTokens, sourceMode } = plan;
  const unet = { name: 'unet', weights: withoutFiles(model.weights.unet.tensors), float, fused };
  const vaeWeights = withoutFiles(model.weights.vae.tensors);
  const vae = { name: 'vae', weights: vaeWeights, float: vaeFloat(model.vae, float), fused };
  /** Billions of multiply-adds for one frame, which two keyframes serve. */
  const work = (graph: Graph): number =>
    multiplyAdds(graph, { frames: 1, keyframes: 2, jobs: 2, tokens: model.promptTokens }) / 1e9;
  const workOf = (pass: Pass): number => work(buildPassGraph(model.unet, latentSize, pass, unet));
  const forward = workOf(plainPass);
  // The last forward of an inversion's step searches every token's place in the keyframes.
  const searching = cachedTokens === null ? forward : workOf(frameInversionPass);
  const inverting = ((forwardsPerStep - 1) * forward + searching) / forwardsPerStep;
  // Frames between keyframes compute no self-attention.
  const isCached = sourceMode === 'cached';
  const others = isCached ? Math.min(sampling, steps * (frameCount - keyframeCount)) : 0;
  const { frames } = samplingPasses({ sourceMode, injection: noInjection, guided: false, frameGuidance: 'propagated' });
  const propagating = isCached ? workOf(frames) : 0;
  return {
    decode: isTaken ? 0 : work(model.vae.buildEncoder(latentSize, vae)) * frameCount,
    invert: isTaken ? 0 : inverting * inversion,
    edit: propagating * others + forward * (sampling - others),
    encode: work(model.vae.buildDecoder(latentSize, vae)) * decodings * frameCount,
  };
}

/** Nothing is paid for a stage without work. */
export function forecastOf(work: StageWork, { stages }: Pick<Pace, 'stages'>): Record<PlannedStage, StageForecast> {
  const of = (stage: PlannedStage): StageForecast => {
    const { secondsPerBillion, onceSeconds } = stages[stage];
    return { seconds: secondsPerBillion * work[stage], onceSeconds: work[stage] > 0 ? onceSeconds : 0 };
  };
  return { decode: of('decode'), invert: of('invert'), edit: of('edit'), encode: of('encode') };
}

/** Seconds of the whole edit, loading included. */
export function forecastSeconds(work: StageWork, pace: Pace): number {
  const stages = Object.values(forecastOf(work, pace));
  return stages.reduce((sum, { seconds, onceSeconds }) => sum + seconds + onceSeconds, pace.loadSeconds);
}

/** The pace of the stages that an edit has gone through from their beginning. */
export function paceOf(
  measured: Partial<Record<PlannedStage, MeasuredStage>>,
  work: StageWork,
  loadSeconds: number,
): MeasuredPace {
  const stages: MeasuredPace['stages'] = {};
  for (const stage of plannedStages) {
    const found = measured[stage];
    if (found === undefined || work[stage] <= 0) continue;
    const { seconds, onceSeconds } = found;
    stages[stage] = { secondsPerBillion: seconds / work[stage], onceSeconds };
  }
  return { stages, loadSeconds };
}
