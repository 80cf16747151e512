// The judge's two networks as graphs: of pictures of 128 and of 256 pixels. models/demo/train/judge.py has the second in Python,
// the history of that file the first. Both: pictures [N, 3, edge, edge] in -1..1 -> `logits` of all heads side by side
// [N, words], `mask` [N, 1, edge / 4, edge / 4] in 0..1.

import { GraphBuilder } from '../../companion-server/src/onnx/builder.ts';
import { symbol } from '../../companion-server/src/onnx/dims.ts';
import type { Graph, Value } from '../../companion-server/src/onnx/graph.ts';
import * as ops from '../../companion-server/src/onnx/ops.ts';
import { plainExecution } from '../../companion-server/src/onnx/execution.ts';
import type { StoredTensors } from '../../companion-server/src/tensor/stored-tensor.ts';

export type JudgeNetwork = (weights: StoredTensors, words: number) => Graph;

/** By the edge of the pictures that they judge. */
export const judgeNetworks: Readonly<Record<number, JudgeNetwork>> = { 128: buildSmallJudge, 256: buildLargeJudge };

function buildSmallJudge(weights: StoredTensors, words: number): Graph {
  const { g, conv, pictures } = begin(weights, 128);
  const half = conv('conv1', pictures, 3, 24, 2);
  const fine = conv('conv3', conv('conv2', half, 24, 48, 2), 48, 64);
  const coarser = conv('conv5', conv('conv4', fine, 64, 96, 2), 96, 128, 2);
  const coarse = conv('conv6', coarser, 128, 128);
  const mask = maskOf(g, [fine, enlarge(g, coarse, 2)], 64 + 128);
  const seen = ops.concat(g, [meanOf(g, coarse), focus(g, coarse, shrink(g, mask, 4))], 1);
  return finish(g, mask, seen, 2 * 128, words);
}

function buildLargeJudge(weights: StoredTensors, words: number): Graph {
  const { g, conv, pictures } = begin(weights, 256);
  const half = conv('conv1', pictures, 3, 16, 2);
  const fine = conv('conv3', conv('conv2', half, 16, 32, 2), 32, 48);
  const middle = conv('conv5', conv('conv4', fine, 48, 64, 2), 64, 96, 2);
  const coarse = conv('conv7', conv('conv6', middle, 96, 112, 2), 112, 112);
  const mask = maskOf(g, [fine, enlarge(g, middle, 2), enlarge(g, coarse, 3)], 48 + 96 + 112);
  const inside = shrink(g, mask, 8);
  const outside = ops.add(g, ops.scalar(g, 1), ops.mul(g, ops.scalar(g, -1), inside));
  const seen = ops.concat(g, [meanOf(g, coarse), focus(g, coarse, inside), focus(g, coarse, outside)], 1);
  return finish(g, mask, seen, 3 * 112, words);
}

function begin(weights: StoredTensors, edge: number) {
  const { float, fused } = plainExecution('cpu');
  const g = new GraphBuilder({ name: 'judge', weights, float, fused });
  const conv = (name: string, x: Value, inputs: number, outputs: number, stride: 1 | 2 = 1): Value => {
    const y = ops.conv(g, x, g.weight(`${name}.weight`, [outputs, inputs, 3, 3]), g.weight(`${name}.bias`, [outputs]), {
      stride,
    });
    return g.op({ op: 'Relu', inputs: [y], outputs: [{ dtype: y.dtype, dims: y.dims }] });
  };
  return { g, conv, pictures: g.input('pictures', 'float32', [symbol('pictures'), 3, edge, edge]) };
}

function maskOf(g: GraphBuilder, parts: readonly Value[], channels: number): Value {
  const weight = g.weight('mask.weight', [1, channels, 3, 3]);
  return ops.sigmoid(g, ops.conv(g, ops.concat(g, parts, 1), weight, g.weight('mask.bias', [1])));
}

/** `times` times twice as large. */
function enlarge(g: GraphBuilder, x: Value, times: number): Value {
  return times === 0 ? x : enlarge(g, ops.resizeNearest2x(g, x), times - 1);
}

function meanOf(g: GraphBuilder, x: Value): Value {
  const dims = [...x.dims.slice(0, 2), 1, 1];
  return g.op({ op: 'GlobalAveragePool', inputs: [x], outputs: [{ dtype: x.dtype, dims }] });
}

/** The mask at 8x8. */
function shrink(g: GraphBuilder, mask: Value, factor: number): Value {
  return g.op({
    op: 'AveragePool',
    inputs: [mask],
    outputs: [{ dtype: mask.dtype, dims: [symbol('pictures'), 1, 8, 8] }],
    attributes: { kernel_shape: [factor, factor], strides: [factor, factor] },
  });
}

/** sum(coarse * weight) / (sum(weight) + 0.001), with means over the 64 positions in place of sums. */
function focus(g: GraphBuilder, coarse: Value, weight: Value): Value {
  return ops.div(g, meanOf(g, ops.mul(g, coarse, weight)), ops.add(g, meanOf(g, weight), ops.scalar(g, 1e-3 / 64)));
}

function finish(g: GraphBuilder, mask: Value, seen: Value, width: number, words: number): Graph {
  const flat = ops.reshape(g, seen, [-1, width]);
  g.output('logits', ops.gemm(g, flat, g.weight('name.weight', [words, width]), g.weight('name.bias', [words])));
  g.output('mask', mask);
  return g.finish();
}
