// The FastDenoiser of tokenflow/ on ONNX graphs.

import { jointBranches } from '../nets/target-attention.ts';
import {
  buildCarriedUNet,
  buildJointUNet,
  buildRecordFramesUNet,
  buildRecordKeyframesUNet,
} from '../nets/fast-graphs.ts';
import type { IndexTensor } from '../onnx/session.ts';
import { concatRows, tensor, type Tensor } from '../tensor/tensor.ts';
import type { Contexts } from '../tokenflow/denoiser.ts';
import type {
  BranchPrediction,
  CarriedInput,
  FastDenoiser,
  JointInput,
  KeyframePair,
  SourceRecords,
  SourceTokens,
} from '../tokenflow/fast-denoiser.ts';
import { indices, label, pick, prediction, UNetDenoiser } from './denoiser.ts';

type Results = Readonly<Record<string, Tensor>>;

/** Runs all graphs of an edit. */
export class FastUNetDenoiser extends UNetDenoiser implements FastDenoiser {
  async recordKeyframes(latents: Tensor, timestep: number, context: Tensor) {
    const { config, size } = this.options;
    const session = this.session('record keyframes', (graph) => buildRecordKeyframesUNet(config, size, graph));
    const results = await (await session).run({ latents, time_features: this.timeFeatures(timestep), context });
    this.count(latents.dims[0] ?? 0);
    return {
      prediction: prediction(results, 'prediction', timestep),
      tokens: numbered(results, 'source'),
    };
  }

  async recordFrames(
    latents: Tensor,
    timestep: number,
    context: Tensor,
    { tokens, pairs }: { readonly tokens: SourceTokens; readonly pairs: readonly KeyframePair[] },
  ): Promise<{ readonly prediction: Tensor; readonly records: SourceRecords }> {
    const { config, size } = this.options;
    const session = this.session('record frames', (graph) => buildRecordFramesUNet(config, size, graph));
    const searches = planSearches(pairs);
    const results = await (
      await session
    ).run({
      latents,
      time_features: this.timeFeatures(timestep),
      context,
      ...Object.fromEntries(tokens.map((block, i) => [`source.${i}`, block])),
      job_frame: indices(searches.jobs.map(({ frame }) => frame)),
      job_keyframe: indices(searches.jobs.map(({ keyframe }) => keyframe)),
    });
    this.count(latents.dims[0] ?? 0);
    return {
      prediction: prediction(results, 'prediction', timestep),
      records: { nearest: gatherNearest(numbered(results, 'nearest'), searches.sides) },
    };
  }

  async editJointly({ edited, source, timestep, contexts, injection, guided }: JointInput) {
    const { config, size } = this.options;
    const session = this.session(`joint ${label(injection)} ${String(guided)}`, (graph) =>
      buildJointUNet(config, size, { injection, guided }, graph),
    );
    const results = await (
      await session
    ).run({
      edited,
      ...(source === null ? {} : { source }),
      time_features: this.timeFeatures(timestep),
      context: contextRows(contexts, source !== null, guided),
    });
    const branches = jointBranches({ injection, guided });
    this.count(branches * (edited.dims[0] ?? 0));
    return {
      prediction: branchPrediction(results, guided, timestep),
      tokens: numbered(results, 'tokens'),
    };
  }

  async editCarried(input: CarriedInput): Promise<BranchPrediction> {
    const { edited, timestep, contexts, records, pairs, rightWeight, tokens } = input;
    const { config, size } = this.options;
    const guided = tokens[0]?.dims[0] === 2;
    const session = this.session(`carried ${String(guided)}`, (graph) =>
      buildCarriedUNet(config, size, { guided }, graph),
    );
    const results = await (
      await session
    ).run({
      edited,
      time_features: this.timeFeatures(timestep),
      context: contextRows(contexts, false, guided),
      right_weight: tensor([rightWeight.length], Float32Array.from(rightWeight)),
      ...Object.fromEntries(tokens.map((block, i) => [`tokens.${i}`, block])),
      ...positionsPerBlock(
        records.nearest,
        pairs,
        tokens.map(({ dims }) => dims[2] ?? 0),
      ),
    });
    this.count((guided ? 2 : 1) * (edited.dims[0] ?? 0));
    return branchPrediction(results, guided, timestep);
  }
}

function contextRows(contexts: Contexts, hasSource: boolean, guided: boolean): Tensor {
  const { source, negative, target } = contexts;
  return concatRows([...(hasSource ? [source] : []), ...(guided ? [negative] : []), target]);
}

function branchPrediction(results: Results, guided: boolean, timestep: number): BranchPrediction {
  return {
    negative: guided ? prediction(results, 'negative', timestep) : null,
    target: prediction(results, 'target', timestep),
  };
}

/** The outputs `name.0`, `name.1`, ... */
function numbered(results: Results, name: string): readonly Tensor[] {
  const count = Object.keys(results).filter((key) => key.startsWith(`${name}.`)).length;
  return Array.from({ length: count }, (_, i) => pick(results, `${name}.${i}`));
}

interface Searches {
  readonly jobs: readonly { readonly frame: number; readonly keyframe: number }[];
  /** Per frame the job of its left and of its right keyframe. */
  readonly sides: readonly (readonly [number, number])[];
}

/** Each pair of frame and keyframe is searched once. */
function planSearches(pairs: readonly KeyframePair[]): Searches {
  const jobs: { frame: number; keyframe: number }[] = [];
  const sides = pairs.map(({ left, right }, frame): readonly [number, number] => {
    const first = jobs.push({ frame, keyframe: left }) - 1;
    if (right === left) return [first, first];
    return [first, jobs.push({ frame, keyframe: right }) - 1];
  });
  return { jobs, sides };
}

/** Per block [jobs, S] -> [N, 2, T] */
function gatherNearest(blocks: readonly Tensor[], sides: Searches['sides']): Uint16Array {
  const total = blocks.reduce((sum, { dims }) => sum + (dims[1] ?? 0), 0);
  const nearest = new Uint16Array(sides.length * 2 * total);
  let offset = 0;
  for (const { dims, data } of blocks) {
    const [, length = 0] = dims;
    sides.forEach((jobs, frame) =>
      jobs.forEach((job, side) => {
        const row = data.subarray(job * length, (job + 1) * length);
        nearest.set(row, (2 * frame + side) * total + offset);
      }),
    );
    offset += length;
  }
  return nearest;
}

/** [N, 2, T] -> `left.{i}` and `right.{i}` [N, S], counted over all keyframes' tokens */
function positionsPerBlock(
  nearest: Uint16Array,
  pairs: readonly KeyframePair[],
  lengths: readonly number[],
): Record<string, IndexTensor> {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const inputs: Record<string, IndexTensor> = {};
  let offset = 0;
  lengths.forEach((length, block) => {
    (['left', 'right'] as const).forEach((side, sideIndex) => {
      const data = new Int32Array(pairs.length * length);
      for (const [frame, pair] of pairs.entries()) {
        const from = (2 * frame + sideIndex) * total + offset;
        const first = pair[side] * length;
        for (let i = 0; i < length; i++) {
          data[frame * length + i] = first + (nearest[from + i] as number);
        }
      }
      inputs[`${side}.${block}`] = { dims: [pairs.length, length], data };
    });
    offset += length;
  });
  return inputs;
}
