// The time of an edit, stage by stage: its work, counted from the networks' shapes, at the throughput of this machine.

import type { ModelOutline } from '../../families/family.ts';
import { buildPassGraph } from '../../nets/pass-graph.ts';
import { nameOf, plainPass, seesAllFrames, type Pass } from '../../nets/pass.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { Graph } from '../../onnx/graph.ts';
import { multiplyAdds } from '../../onnx/graph-work.ts';
import { withoutFiles } from '../../tensor/stored-tensor.ts';
import { vaeFloat } from '../model/vae-float.ts';
import type { ControlRun } from '../plan/control-runs.ts';
import type { PlannedPass } from '../plan/edit-passes.ts';
import type { EditPlan } from '../plan/edit-plan.ts';
import { frameInversionPass } from '../../tokenflow/step-passes.ts';
import { plannedStages, type MeasuredThroughput, type Throughput, type PlannedStage } from './throughput.ts';
import type { MeasuredStage, StageForecast } from '../run/progress-meter.ts';

/** Work of each stage in billions of multiply-adds. */
export type StageWork = Readonly<Record<PlannedStage, number>>;

/** What is left to do. */
export interface EditWorkload {
  /** Whether the inversion of an earlier edit is used: then nothing is decoded or inverted. */
  readonly isTaken: boolean;
  /** UNet forwards of one latent, those of the calibration included. */
  readonly inversion: number;
  /** The passes of all sampling steps. */
  readonly sampling: readonly PlannedPass[];
  /** What ControlNets compute in all sampling steps. */
  readonly controls: readonly ControlRun[];
  /** Of a frame in a step of the inversion. */
  readonly forwardsPerStep: number;
  /** Pictures that the VAE decodes for each frame: another one where the result has the clip's detail. */
  readonly decodings: 1 | 2;
}

/** Counted from the graphs' shapes, none of which is loaded. */
export function stageWork(
  model: Pick<ModelOutline, 'unet' | 'vae' | 'weights' | 'promptTokens'>,
  plan: EditPlan,
  { float, fused }: Pick<Execution, 'float' | 'fused'>,
  { isTaken, inversion, forwardsPerStep, sampling, controls, decodings }: EditWorkload,
): StageWork {
  const { latentSize, frameCount, cachedTokens } = plan;
  const unet = { name: 'unet', weights: withoutFiles(model.weights.unet.tensors), float, fused };
  const vaeWeights = withoutFiles(model.weights.vae.tensors);
  const vae = { name: 'vae', weights: vaeWeights, float: vaeFloat(model.vae, float), fused };
  /** Billions of multiply-adds of one run over `frames`, each of which two keyframes serve. */
  const work = (graph: Graph, frames: number): number =>
    multiplyAdds(graph, { frames, keyframes: 2, jobs: 2 * frames, tokens: model.promptTokens }) / 1e9;
  const graphs = new Map<string, Graph>();
  const graphOf = (pass: Pass): Graph => {
    const graph = graphs.get(nameOf(pass)) ?? buildPassGraph(model.unet, latentSize, pass, unet);
    graphs.set(nameOf(pass), graph);
    return graph;
  };
  /** Frames that see each other cost more the more they are. */
  const workOf = ({ pass, frames }: PlannedPass): number =>
    seesAllFrames(pass) ? work(graphOf(pass), frames) : frames * work(graphOf(pass), 1);
  const controlWork = ({ net, branches, frames }: ControlRun): number => {
    const options = { name: 'ControlNet', weights: withoutFiles(net.tensors), float, fused };
    return frames * work(net.network.build(branches, latentSize, options), 1);
  };
  const forward = workOf({ pass: plainPass, frames: 1 });
  // The last forward of an inversion's step searches every token's place in the keyframes.
  const searching = cachedTokens === null ? forward : workOf({ pass: frameInversionPass, frames: 1 });
  const inverting = ((forwardsPerStep - 1) * forward + searching) / forwardsPerStep;
  return {
    decode: isTaken ? 0 : work(model.vae.buildEncoder(latentSize, vae), 1) * frameCount,
    invert: isTaken ? 0 : inverting * inversion,
    edit:
      sampling.reduce((sum, planned) => sum + workOf(planned), 0) +
      controls.reduce((sum, run) => sum + controlWork(run), 0),
    encode: work(model.vae.buildDecoder(latentSize, vae), 1) * decodings * frameCount,
  };
}

/** Nothing is paid for a stage without work. */
export function forecastOf(
  work: StageWork,
  { stages }: Pick<Throughput, 'stages'>,
): Record<PlannedStage, StageForecast> {
  const of = (stage: PlannedStage): StageForecast => {
    const { secondsPerBillion, onceSeconds } = stages[stage];
    return { seconds: secondsPerBillion * work[stage], onceSeconds: work[stage] > 0 ? onceSeconds : 0 };
  };
  return { decode: of('decode'), invert: of('invert'), edit: of('edit'), encode: of('encode') };
}

/** Seconds of the whole edit, loading included. */
export function forecastSeconds(work: StageWork, throughput: Throughput): number {
  const stages = Object.values(forecastOf(work, throughput));
  return stages.reduce((sum, { seconds, onceSeconds }) => sum + seconds + onceSeconds, throughput.loadSeconds);
}

/** The throughput of the stages that an edit has gone through from their beginning. */
export function throughputOf(
  measured: Partial<Record<PlannedStage, MeasuredStage>>,
  work: StageWork,
  loadSeconds: number,
): MeasuredThroughput {
  const stages: MeasuredThroughput['stages'] = {};
  for (const stage of plannedStages) {
    const found = measured[stage];
    if (found === undefined || work[stage] <= 0) continue;
    const { seconds, onceSeconds } = found;
    stages[stage] = { secondsPerBillion: seconds / work[stage], onceSeconds, work: work[stage] };
  }
  return { stages, loadSeconds };
}
