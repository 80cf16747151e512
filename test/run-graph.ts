// Builds a small graph and runs it in ONNX Runtime on the CPU, for tests of operators and layers.

import { GraphBuilder, type FusedOperators } from '../companion-server/src/onnx/builder.ts';
import type { Dims } from '../companion-server/src/onnx/dims.ts';
import type { DataType, FloatType, Graph, Value } from '../companion-server/src/onnx/graph.ts';
import { createSession, type IndexTensor } from '../companion-server/src/onnx/session.ts';
import { createRandom } from '../companion-server/src/tensor/random.ts';
import type { StoredTensors } from '../companion-server/src/tensor/stored-tensor.ts';
import { sizeOf, tensor, type Tensor } from '../companion-server/src/tensor/tensor.ts';

export type { Tensor };

export const fused: FusedOperators = {
  multiHeadAttention: true,
  gelu: true,
  gemm: true,
  wideValues: true,
  instanceNormalization: true,
};
export const plain: FusedOperators = {
  multiHeadAttention: false,
  gelu: false,
  gemm: false,
  wideValues: true,
  instanceNormalization: false,
};

export interface GraphSetting {
  readonly float?: FloatType;
  readonly fused?: FusedOperators;
  readonly weights?: StoredTensors;
}

/** A builder for a test's graph: float32 and fused unless told otherwise. */
export function testBuilder(setting: GraphSetting = {}): GraphBuilder {
  return new GraphBuilder({
    name: 'test',
    weights: new Map(),
    float: 'float32',
    fused,
    ...setting,
  });
}

/** A value that a test's graph takes from outside. */
export function value(g: GraphBuilder, dims: Dims, dtype: DataType = 'float32'): Value {
  return g.input(`x${dims.length}`, dtype, dims);
}

/** A graph's inputs by name. */
export type Feeds = Readonly<Record<string, Tensor | IndexTensor>>;

/** Loads `graph`, runs it once and returns its outputs. */
export async function runGraph(graph: Graph, feeds: Feeds): Promise<Readonly<Record<string, Tensor>>> {
  const session = await createSession(graph, { provider: 'cpu', threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/**
 * Runs what `build` records on `feeds`, which become inputs of the same dims in the type of the graph (integers stay
 * int32). `symbolic` names the inputs' axes that are only known when the graph runs.
 */
export async function evaluate<Name extends string>(
  feeds: Readonly<Record<Name, Tensor | IndexTensor>>,
  build: (g: GraphBuilder, inputs: Readonly<Record<Name, Value>>) => Value,
  setting: GraphSetting & { readonly dims?: Partial<Readonly<Record<Name, Dims>>> } = {},
): Promise<Tensor> {
  const g = testBuilder(setting);
  const names = Object.keys(feeds) as Name[];
  const inputs = Object.fromEntries(
    names.map((name) => {
      const { dims, data } = feeds[name];
      const isIndex = data instanceof Int32Array;
      const input = g.input(name, isIndex ? 'int32' : 'float32', setting.dims?.[name] ?? dims);
      return [name, isIndex || g.float === 'float32' ? input : toFloat(g, input)];
    }),
  ) as Record<Name, Value>;
  const result = build(g, inputs);
  g.output('result', result.dtype === 'int32' ? toFloat(g, result) : result);
  const { result: output } = await runGraph(g.finish(), feeds);
  if (output === undefined) throw new TypeError('The graph returned nothing.');
  return output;
}

function toFloat(g: GraphBuilder, x: Value): Value {
  return g.op({
    op: 'Cast',
    inputs: [x],
    outputs: [{ dtype: g.float, dims: x.dims }],
    attributes: { to: g.float === 'float32' ? 1 : 10 },
  });
}

/** Standard normal numbers, the same for the same dims and seed. */
export function randomTensor(dims: readonly number[], seed = 1): Tensor {
  const random = createRandom(seed, sizeOf(dims));
  return tensor(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => random.gaussian()),
  );
}

export function indexTensor(dims: readonly number[], values: readonly number[]): IndexTensor {
  return { dims, data: Int32Array.from(values) };
}

/** The value at a position of a tensor, row-major. */
export function at({ dims, data }: Tensor, ...position: readonly number[]): number {
  const offset = position.reduce((sum, index, axis) => sum * (dims[axis] ?? 0) + index, 0);
  return data[offset] ?? NaN;
}

/** A tensor whose value at every position is `of(...position)`: the few-line oracles are written with it. */
export function generate(dims: readonly number[], of: (...position: readonly number[]) => number): Tensor {
  const position = dims.map(() => 0);
  const result = tensor(dims);
  for (let i = 0; i < result.data.length; i++) {
    let rest = i;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const size = dims[axis] ?? 1;
      position[axis] = rest % size;
      rest = Math.floor(rest / size);
    }
    result.data[i] = of(...position);
  }
  return result;
}

/** of(0) + ... + of(count - 1) */
export function sum(count: number, of: (index: number) => number): number {
  return Array.from({ length: count }, (_, i) => of(i)).reduce((total, term) => total + term, 0);
}
