// The Denoiser of tokenflow/ on ONNX graphs, one for each kind of pass. Sessions are made when first needed; on the CPU
// they share the checkpoint's mapped pages, so that several graphs cost little more memory than one.

import type { DenoisingNetwork, LatentSize } from '../../nets/denoising-network.ts';
import { buildPassGraph, type ObservedBlocks } from '../../nets/pass-graph.ts';
import {
  editBranchesOf,
  evaluationsOf,
  nameOf,
  predictedBranchesOf,
  seesAllFrames,
  type Branch,
  type Pass,
} from '../../nets/pass.ts';
import type { GraphOptions } from '../../onnx/builder.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { IndexTensor, Session } from '../../onnx/session.ts';
import { tensor, type Tensor } from '../../tensor/tensor.ts';
import { gatherSearched, planSearches, positionsPerBlock, type KeyframePair } from '../../tokenflow/correspondences.ts';
import type {
  BranchResiduals,
  Denoiser,
  KeyframeInputs,
  KeyframeTokens,
  PassInputs,
  PassOutputs,
} from '../../tokenflow/denoiser.ts';
import { requireVaried } from '../../tokenflow/latent-checks.ts';
import { steadyBatch } from './fixed-batch-size.ts';

/** Lets a comparison look into the network. */
export interface Observation {
  readonly blocks: ObservedBlocks;
  /** All outputs of a pass but those over single frames, by name (nets/pass-graph.ts). */
  readonly onOutputs: (outputs: Results) => void;
}

type Results = Readonly<Record<string, Tensor>>;
type Feeds = Readonly<Record<string, Tensor | IndexTensor>>;

export interface UNetDenoiserOptions {
  readonly network: DenoisingNetwork;
  readonly size: LatentSize;
  /** How the graphs are built for the device; `name` is set per graph. */
  readonly graph: Omit<GraphOptions, 'name'>;
  /** Builds the graph and loads it. */
  readonly createSession: (make: () => Graph) => Promise<Session>;
  /** Whether passes whose frames don't see each other all run with as many frames as the largest (steady-batch.ts). */
  readonly keepsBatch: boolean;
  readonly observation?: Observation;
}

/** Runs the UNet's graphs and counts what they cost. Call `release` when done. */
export class UNetDenoiser implements Denoiser {
  /** UNet evaluations of one latent so far. A pass over N frames with B branches counts N * B. */
  evaluations = 0;
  /** Called after every pass; may throw to end the edit. */
  onForward: () => void = () => undefined;
  /** Called when a graph has been built and loaded, with the seconds that it took. */
  onOpened: (seconds: number) => void = () => undefined;
  private readonly options: UNetDenoiserOptions;
  private readonly sessions = new Map<string, Promise<Session>>();

  constructor(options: UNetDenoiserOptions) {
    this.options = options;
  }

  /**
   * Throws TypeError when an input that the pass needs is missing, EditError('result-invalid') when the network returns one
   * value for a whole frame.
   */
  async run(pass: Pass, inputs: PassInputs): Promise<PassOutputs> {
    const session = await this.session(pass);
    const results = await session.run(this.feeds(pass, inputs));
    if (seesAllFrames(pass) || pass.attention === 'propagated') this.options.observation?.onOutputs(results);
    const frames = (inputs.latents.source ?? inputs.latents.edited)?.dims[0] ?? 0;
    this.evaluations += evaluationsOf(pass, frames);
    this.onForward();
    return outputsOf(pass, results, inputs);
  }

  /** Never fails because of a session that could not be loaded: that was reported when it was needed. */
  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.sessions.values());
    this.sessions.clear();
    for (const session of sessions) {
      if (session.status === 'fulfilled') await session.value.release();
    }
  }

  private feeds(pass: Pass, { latents, timestep, conditioning, residuals, words, ...propagation }: PassInputs): Feeds {
    const { branches, controlled = [], emits } = pass;
    const told = branches.map((branch) => required(conditioning[branch], `the conditioning of ${branch}`));
    return {
      ...(branches.includes('source') && { 'latents.source': required(latents.source, 'the latents of the source') }),
      ...(editBranchesOf(pass).length > 0 && { 'latents.edited': required(latents.edited, 'the latents of the edit') }),
      ...this.options.network.feeds(timestep, told),
      ...residualFeeds(controlled, residuals),
      ...(emits.words === true && { words: required(words, 'the weights of words') }),
      ...keyframeFeeds(pass, propagation),
    };
  }

  private session(pass: Pass): Promise<Session> {
    const name = nameOf(pass);
    const known = this.sessions.get(name);
    if (known !== undefined) return known;
    const { createSession, graph: options, network, size, observation, keepsBatch } = this.options;
    const start = performance.now();
    let graph: Graph | undefined;
    const named = { ...options, name: `UNet: ${name}` };
    const make = () => (graph = buildPassGraph(network, size, pass, named, observation?.blocks));
    const session = createSession(make).then((opened) => {
      this.onOpened((performance.now() - start) / 1000);
      const isSteady = keepsBatch && !seesAllFrames(pass);
      return isSteady && graph !== undefined ? steadyBatch(opened, graph) : opened;
    });
    this.sessions.set(name, session);
    return session;
  }
}

function residualFeeds(controlled: readonly Branch[], residuals: BranchResiduals = {}): Feeds {
  const inputs = controlled.map((branch) =>
    numberedInputs(`residual.${branch}`, required(residuals[branch], `the residuals of ${branch}`)),
  );
  return Object.fromEntries(inputs.flatMap((feeds) => Object.entries(feeds)));
}

/** Inputs that tell frames where to look in keyframes and what to take from them. */
function keyframeFeeds({ attention, correspondences }: Pass, inputs: KeyframeInputs): Feeds {
  if (correspondences === null) return {};
  const keyframes = required(inputs.keyframes, 'the tokens of keyframes');
  const pairs = required(inputs.pairs, "the frames' keyframes");
  const isPropagated = attention === 'propagated';
  return {
    ...(correspondences === 'searched' ? searchFeeds(keyframes, pairs, isPropagated) : {}),
    ...(isPropagated && {
      right_weight: weightsOf(required(inputs.rightWeight, 'the weights of right keyframes')),
      ...numberedInputs('attention', keyframes.attention),
    }),
    ...(isPropagated && correspondences === 'given' && positionFeeds(inputs, keyframes, pairs)),
  };
}

function searchFeeds(keyframes: KeyframeTokens, pairs: readonly KeyframePair[], isPropagated: boolean): Feeds {
  const { jobFrame, jobKeyframe, leftJob, rightJob } = planSearches(pairs);
  return {
    ...numberedInputs('source_tokens', keyframes.source),
    job_frame: indices(jobFrame),
    job_keyframe: indices(jobKeyframe),
    ...(isPropagated && { left_job: indices(leftJob), right_job: indices(rightJob) }),
  };
}

function positionFeeds(inputs: KeyframeInputs, { attention }: KeyframeTokens, pairs: readonly KeyframePair[]): Feeds {
  const given = required(inputs.correspondences, 'the correspondences');
  const lengths = attention.map(({ dims }) => dims[2] ?? 0);
  const found = positionsPerBlock(given, pairs, lengths);
  return Object.fromEntries(
    found.map(({ side, block, positions }) => [
      `${side}.${block}`,
      { dims: [pairs.length, lengths[block] ?? 0], data: positions },
    ]),
  );
}

function outputsOf(pass: Pass, results: Results, { pairs, timestep }: PassInputs): PassOutputs {
  const doing = `a step at timestep ${timestep}`;
  const predicted = predictedBranchesOf(pass).map((branch) => {
    const value = required(results[`prediction.${branch}`], `the prediction of ${branch}`);
    requireVaried(value, doing);
    return [branch, value] as const;
  });
  const nearest = numberedOutputs(results, 'nearest');
  return {
    prediction: Object.fromEntries(predicted),
    tokens: {
      source: numberedOutputs(results, 'source_tokens_out'),
      attention: numberedOutputs(results, 'attention_out'),
    },
    correspondences: pass.emits.correspondences ? gatherSearched(nearest, planSearches(pairs ?? [])) : null,
    ...(pass.emits.words === true && { words: numberedOutputs(results, 'words_out') }),
  };
}

function numberedInputs(name: string, blocks: readonly Tensor[]): Feeds {
  return Object.fromEntries(blocks.map((block, i) => [`${name}.${i}`, block]));
}

/** The outputs `name.0`, `name.1`, ... */
function numberedOutputs(results: Results, name: string): readonly Tensor[] {
  const count = Object.keys(results).filter((key) => key.startsWith(`${name}.`)).length;
  return Array.from({ length: count }, (_, i) => required(results[`${name}.${i}`], `${name}.${i}`));
}

function weightsOf(values: readonly number[]): Tensor {
  return tensor([values.length], Float32Array.from(values));
}

function indices(values: readonly number[]): IndexTensor {
  return { dims: [values.length], data: Int32Array.from(values) };
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`A pass of the network lacks ${what}.`);
  return value;
}
