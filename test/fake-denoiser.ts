// A Denoiser of arithmetic instead of a network: its one block's tokens are the latents' pixels. What it computes
// has no meaning, but every frame, keyframe, branch and correspondence leaves its mark on the result.

import { sizeOf, tensor, type Tensor } from '../companion-server/src/tensor/tensor.ts';
import type {
  Contexts,
  Denoiser,
  EditPrediction,
  KeyframeTokens,
  StepInput,
} from '../companion-server/src/tokenflow/denoiser.ts';
import type { PropagationPlan } from '../companion-server/src/tokenflow/propagation.ts';
import { at, generate, sum } from './run-graph.ts';

export const mean = ({ data }: Tensor): number => sum(data.length, (i) => data[i] ?? 0) / data.length;

/** [N, C, h, w] -> [N, h*w, C] */
export function pixels(latents: Tensor): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = latents.dims;
  return generate([n, h * w, c], (i = 0, s = 0, d = 0) => at(latents, i, d, Math.floor(s / w), s % w));
}

export class FakeDenoiser implements Denoiser {
  /** Frames of each propagation, and keyframes of each joint pass, in order. */
  readonly propagated: number[] = [];
  readonly joint: (readonly number[])[] = [];

  predict(latents: Tensor, timestep: number, context: Tensor): Promise<Tensor> {
    const shift = mean(context) + timestep / 1000;
    return Promise.resolve({ ...latents, data: latents.data.map((x) => 0.7 * x + shift) });
  }

  async predictPerFrame({ edited, timestep, contexts }: StepInput): Promise<EditPrediction> {
    return {
      negative: await this.predict(edited, timestep, contexts.negative),
      target: await this.predict(edited, timestep, contexts.target),
    };
  }

  editKeyframes(keyframes: readonly number[], input: StepInput): Promise<KeyframeTokens> {
    this.joint.push(keyframes);
    const [source, edited] = [pixels(input.source), pixels(input.edited)];
    const [count = 0, length = 0, channels = 0] = source.dims;
    const size = (k: number, s: number) => Math.sqrt(sum(channels, (d) => at(source, k, s, d) ** 2));
    const together = (s: number, d: number) => sum(count, (k) => at(edited, k, s, d)) / count;
    const { negative, target } = input.contexts;
    const shifts = [0, mean(negative), mean(target)].map((shift) => shift + input.timestep / 1000);
    const attention = generate([3, count, length, channels], (branch = 0, k = 0, s = 0, d = 0) =>
      branch === 0 ? at(source, k, s, d) : 0.5 * at(edited, k, s, d) + 0.1 * together(s, d) + (shifts[branch] ?? 0),
    );
    const unit = generate(source.dims, (k = 0, s = 0, d = 0) => at(source, k, s, d) / size(k, s));
    return Promise.resolve({ keyframes, blocks: [{ source: unit, attention }] });
  }

  propagate(input: StepInput, { blocks }: KeyframeTokens, plan: PropagationPlan): Promise<EditPrediction> {
    const [frames = 0, channels = 0, height = 0, width = 0] = input.edited.dims;
    this.propagated.push(frames);
    const queries = pixels(input.source);
    const [block] = blocks;
    if (block === undefined) throw new TypeError('no tokens');
    const nearest = plan.jobFrame.map((frame, job) =>
      Array.from({ length: height * width }, (_, s) => {
        const keyframe = plan.jobKeyframe[job] ?? 0;
        const similar = Array.from({ length: height * width }, (__, other) =>
          sum(channels, (d) => at(queries, frame, s, d) * at(block.source, keyframe, other, d)),
        );
        return similar.indexOf(Math.max(...similar));
      }),
    );
    const taken = (branch: number, job: number, s: number, d: number) =>
      at(block.attention, branch, plan.jobKeyframe[job] ?? NaN, nearest[job]?.[s] ?? NaN, d);
    const branchOf = (branch: number) =>
      generate(input.edited.dims, (n = 0, d = 0, row = 0, column = 0) => {
        const s = row * width + column;
        const left = taken(branch, plan.leftJob[n] ?? NaN, s, d);
        const right = taken(branch, plan.rightJob[n] ?? NaN, s, d);
        const blended = left + (plan.rightWeight[n] ?? NaN) * (right - left);
        return blended + 0.1 * at(input.edited, n, d, row, column);
      });
    return Promise.resolve({ negative: branchOf(1), target: branchOf(2) });
  }
}

/** A context whose only property is its mean. */
export function flatContext(value: number, dims: readonly number[] = [1, 2, 3]): Tensor {
  return tensor(dims, new Float32Array(sizeOf(dims)).fill(value));
}

/** Told apart by their means. */
export const flatContexts: Contexts = {
  source: flatContext(0.1),
  negative: flatContext(0.2),
  target: flatContext(-0.3),
};
