// A tiny network with every kind of operator that an edit uses. A device is trusted when it computes the same
// numbers as the CPU.

import { GraphBuilder } from '../../onnx/builder.ts';
import type { Execution } from '../../onnx/execution.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import * as ops from '../../onnx/ops.ts';
import { attention } from '../../nets/attention.ts';
import { gelu, normalise, silu, toTokens } from '../../nets/layers.ts';
import { createRandom } from '../../tensor/random.ts';
import { sizeOf, tensor, type Tensor } from '../../tensor/tensor.ts';

const channels = 32;
const heads = 4;
const seed = 7;

const inputDims = (side: number) =>
  ({
    image: [1, channels, side, side],
    kernel: [channels, channels, 3, 3],
    bias: [channels],
    matrix: [channels, channels],
  }) satisfies Record<string, readonly number[]>;

/** Convolution, normalisation, projection, attention, activation, resizing and search on a side x side image. */
export function buildProbe({ float, fused }: Pick<Execution, 'float' | 'fused'>, side: number): Graph {
  const g = new GraphBuilder({ name: 'probe', weights: new Map(), float, fused });
  const dims = inputDims(side);
  const input = (name: keyof typeof dims): Value => ops.cast(g, g.input(name, 'float32', dims[name]), g.float);
  const [kernel, bias, matrix] = [input('kernel'), input('bias'), input('matrix')];
  const convolved = silu(g, ops.conv(g, input('image'), kernel, bias));
  const enlarged = ops.resizeNearest2x(g, ops.conv(g, convolved, kernel, bias, { stride: 2 }));
  const rows = toTokens(g, ops.add(g, convolved, enlarged));
  const normed = ops.layerNormalization(g, rows, bias, bias, 1e-5);
  const grouped = ops.reshape(g, convolved, [-1, heads, (channels / heads) * side * side]);
  // Two epsilons that change the result: they reveal a kernel that always uses the first one.
  const soft = normalise(g, grouped, heads, 1);
  const groupNormed = toTokens(g, ops.reshape(g, normalise(g, soft, heads, 1e-5), [-1, channels, side, side]));
  const length = side * side;
  const project = (x: Value) => ops.reshape(g, ops.gemm(g, x, matrix, bias), [-1, length, channels]);
  const mixed = attention(g, project(normed), project(groupNormed), project(normed), {
    heads,
    queries: length,
    keys: length,
  });
  g.output('result', ops.add(g, gelu(g, mixed), ops.reshape(g, nearest(g, rows), [-1, length, channels])));
  return g.finish();
}

/** Every row's nearest row by similarity, looked up: rows again where searching and gathering work. */
function nearest(g: GraphBuilder, rows: Value): Value {
  const wide = ops.cast(g, rows, 'float32');
  const unit = ops.div(g, wide, ops.reduceL2(g, wide));
  const index = ops.argMax(g, ops.matMul(g, unit, ops.transpose(g, unit, [1, 0])));
  return ops.gather(g, rows, index, 0);
}

/** The probe's inputs: seeded noise of a size that keeps half precision in range. */
export function probeInputs(side: number): Record<string, Tensor> {
  const random = createRandom(seed);
  return Object.fromEntries(
    Object.entries(inputDims(side)).map(([name, dims]) => {
      const fanIn = name === 'image' ? 1 : channels * (dims.length === 4 ? 9 : 1);
      const scale = 1 / Math.sqrt(fanIn);
      const values = Float32Array.from({ length: sizeOf(dims) }, () => scale * random.gaussian());
      return [name, tensor(dims, values)];
    }),
  );
}
