// The Denoiser of tokenflow/ on ONNX graphs. Sessions are made when first needed; on the CPU they share the
// checkpoint's mapped pages, so that several graphs cost little more memory than one.

import { timestepEmbedding } from '../diffusion/timestep-embedding.ts';
import { branchCount } from '../nets/tokenflow-attention.ts';
import type { UNetConfig } from '../nets/unet-config.ts';
import {
  buildKeyframeUNet,
  buildPerFrameUNet,
  buildPlainUNet,
  buildPropagationUNet,
  type LatentSize,
  type ObservedBlocks,
} from '../nets/unet-graphs.ts';
import type { GraphOptions } from '../onnx/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import type { IndexTensor, Session } from '../onnx/session.ts';
import { steadyBatch } from './steady-batch.ts';
import type { Denoiser, EditPrediction, Injection, KeyframeTokens, StepInput } from '../tokenflow/denoiser.ts';
import { concatRows, tensor, type Tensor } from '../tensor/tensor.ts';
import type { PropagationPlan } from '../tokenflow/propagation.ts';
import { requireVaried } from '../tokenflow/watchdog.ts';

/** Lets a comparison look into the network. */
export interface Observation {
  readonly blocks: ObservedBlocks;
  /** Further outputs of a keyframe or propagation pass, by name (unet-graphs.ts). */
  readonly onTokens: (tokens: Results) => void;
}

type Results = Readonly<Record<string, Tensor>>;

export interface UNetDenoiserOptions {
  readonly config: UNetConfig;
  readonly size: LatentSize;
  /** How the graphs are built for the device; `name` is set per graph. */
  readonly graph: Omit<GraphOptions, 'name'>;
  /** Builds the graph and loads it. */
  readonly createSession: (make: () => Graph) => Promise<Session>;
  /** Whether passes over frames by themselves all run with as many frames as the largest of them (steady-batch.ts). */
  readonly keepsBatch: boolean;
  readonly observation?: Observation;
}

/** Runs the UNet's graphs and counts what they cost. Call `release` when done. */
export class UNetDenoiser implements Denoiser {
  /** UNet forwards of one latent so far. A pass over N frames with B branches counts N * B. */
  evaluations = 0;
  /** Called after every forward; may throw to end the edit. */
  onForward: () => void = () => undefined;
  /** Called when a graph has been built and loaded, with the seconds that it took. */
  onOpened: (seconds: number) => void = () => undefined;
  protected readonly options: UNetDenoiserOptions;
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(options: UNetDenoiserOptions) {
    this.options = options;
  }

  async predict(latents: Tensor, timestep: number, context: Tensor): Promise<Tensor> {
    const { config, size } = this.options;
    const session = this.session('plain', (graph) => buildPlainUNet(config, size, graph), 'apart');
    const results = await (
      await session
    ).run({
      latents,
      time_features: this.timeFeatures(timestep),
      context,
    });
    this.count(latents.dims[0] ?? 0);
    return prediction(results, 'prediction', timestep);
  }

  async predictPerFrame(input: StepInput): Promise<EditPrediction> {
    const { edited, timestep, contexts, injection } = input;
    if (!injection.attention && !injection.features) {
      return {
        negative: await this.predict(edited, timestep, contexts.negative),
        target: await this.predict(edited, timestep, contexts.target),
      };
    }
    const { config, size } = this.options;
    const build = (graph: GraphOptions) => buildPerFrameUNet(config, size, injection, graph);
    const session = this.session(`perFrame ${label(injection)}`, build, 'apart');
    return this.runEdit(session, input, {});
  }

  async editKeyframes(keyframes: readonly number[], input: StepInput): Promise<KeyframeTokens> {
    const { config, size } = this.options;
    const build = (graph: GraphOptions) =>
      buildKeyframeUNet(config, size, input.injection, graph, this.options.observation?.blocks);
    const session = this.session(`keyframes ${label(input.injection)}`, build, 'together');
    const results = await (await session).run(this.feeds(input));
    this.count(branchCount * keyframes.length);
    this.options.observation?.onTokens(results);
    const count = Object.keys(results).filter((name) => name.startsWith('source.')).length;
    return {
      keyframes,
      blocks: Array.from({ length: count }, (_, i) => ({
        source: pick(results, `source.${i}`),
        attention: pick(results, `tokens.${i}`),
      })),
    };
  }

  async propagate(input: StepInput, tokens: KeyframeTokens, plan: PropagationPlan): Promise<EditPrediction> {
    const { config, size } = this.options;
    // Without self-attention on this pass there are no queries and keys to inject.
    const injection = { attention: false, features: input.injection.features };
    const build = (graph: GraphOptions) =>
      buildPropagationUNet(config, size, injection, graph, this.options.observation?.blocks);
    const session = this.session(`propagation ${label(injection)}`, build, 'apart');
    return this.runEdit(session, input, {
      job_frame: indices(plan.jobFrame),
      job_keyframe: indices(plan.jobKeyframe),
      left_job: indices(plan.leftJob),
      right_job: indices(plan.rightJob),
      right_weight: tensor([plan.rightWeight.length], Float32Array.from(plan.rightWeight)),
      ...Object.fromEntries(
        tokens.blocks.flatMap(({ source, attention }, i) => [
          [`source.${i}`, source],
          [`tokens.${i}`, attention],
        ]),
      ),
    });
  }

  /** Never fails because of a session that could not be loaded: that was reported when it was needed. */
  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.sessions.values());
    this.sessions.clear();
    for (const session of sessions) {
      if (session.status === 'fulfilled') await session.value.release();
    }
  }

  protected count(evaluations: number): void {
    this.evaluations += evaluations;
    this.onForward();
  }

  private async runEdit(
    session: Promise<Session>,
    input: StepInput,
    more: Readonly<Record<string, Tensor | IndexTensor>>,
  ): Promise<EditPrediction> {
    const results = await (await session).run({ ...this.feeds(input), ...more });
    this.options.observation?.onTokens(results);
    this.count(branchCount * (input.edited.dims[0] ?? 0));
    const { timestep } = input;
    return {
      negative: prediction(results, 'negative', timestep),
      target: prediction(results, 'target', timestep),
    };
  }

  private feeds({ source, edited, timestep, contexts }: StepInput): Record<string, Tensor> {
    const context = concatRows([contexts.source, contexts.negative, contexts.target]);
    return { source, edited, time_features: this.timeFeatures(timestep), context };
  }

  protected timeFeatures(timestep: number): Tensor {
    const { blockChannels, flipSinToCos, frequencyShift } = this.options.config;
    const width = blockChannels[0] ?? 0;
    return tensor([1, width], timestepEmbedding(timestep, { dim: width, flipSinToCos, freqShift: frequencyShift }));
  }

  /** @param seen whether the frames of a run are computed apart from each other, or see each other */
  protected session(name: string, build: (graph: GraphOptions) => Graph, seen: 'apart' | 'together'): Promise<Session> {
    const known = this.sessions.get(name);
    if (known !== undefined) return known;
    const { createSession, graph: options, keepsBatch } = this.options;
    const start = performance.now();
    let graph: Graph | undefined;
    const session = createSession(() => (graph = build({ ...options, name }))).then((opened) => {
      this.onOpened((performance.now() - start) / 1000);
      return keepsBatch && seen === 'apart' && graph !== undefined ? steadyBatch(opened, graph) : opened;
    });
    this.sessions.set(name, session);
    return session;
  }
}

export function label({ attention, features }: Injection): string {
  return [attention ? 'attention' : '', features ? 'features' : ''].join('+');
}

export function indices(values: readonly number[]): IndexTensor {
  return { dims: [values.length], data: Int32Array.from(values) };
}

export function prediction(results: Results, name: string, timestep: number): Tensor {
  const value = pick(results, name);
  requireVaried(value, `a step at timestep ${timestep}`);
  return value;
}

export function pick(results: Results, name: string): Tensor {
  const value = results[name];
  if (value === undefined) throw new TypeError(`The graph returned no ${name}.`);
  return value;
}
