// Keeps the batch of a graph's runs at one size, for providers that are slow after every change of it.

import { equalDims, symbol } from '../../onnx/dims.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import type { IndexTensor, Session } from '../../onnx/session.ts';
import { sliceRows, type Tensor } from '../../tensor/tensor.ts';

/** The unknown that counts the frames of a run, as graphs name it. */
const frames = 'frames';

/**
 * A session whose runs all have as many frames as the largest so far: smaller batches are padded with copies of their
 * last frame, and the outputs of the copies are dropped. Only for graphs whose frames do not depend on each other.
 *
 * ONNX Runtime's CUDA provider (since 1.20) plans a convolution again whenever the shape of its input differs from that of
 * the run before, even for a shape that it knows (github.com/microsoft/onnxruntime/issues/23006). For a UNet of Stable
 * Diffusion 1.5's size on an H100 that takes 0.85 s, as long as 20 forwards of 8 frames.
 */
export function steadyBatch(session: Session, graph: Graph): Session {
  const inputs = countedByFrame(graph.inputs);
  const outputs = countedByFrame(graph.outputs);
  let largest = 0;
  return {
    async run(feeds) {
      const [first = ''] = inputs;
      const count = feeds[first]?.dims[0] ?? 0;
      largest = Math.max(largest, count);
      if (count === largest) return session.run(feeds);
      const filled = mapValues(feeds, (value, name) => (inputs.has(name) ? fillRows(value, largest) : value));
      const results = await session.run(filled);
      return mapValues(results, (value, name) => (outputs.has(name) ? sliceRows(value, 0, count) : value));
    },
    release: () => session.release(),
  };
}

/** Names of the values whose first dimension is the number of frames. */
function countedByFrame(values: readonly Value[]): ReadonlySet<string> {
  return new Set(values.filter(({ dims }) => equalDims(dims[0] ?? 1, symbol(frames))).map(({ name }) => name));
}

/** The rows of `value`, and the last of them again until there are `count`. */
function fillRows(value: Tensor | IndexTensor, count: number): Tensor | IndexTensor {
  const [rows = 0, ...rest] = value.dims;
  const dims = [count, ...rest];
  const { data } = value;
  const rowSize = data.length / rows;
  const fill = <A extends Float32Array | Int32Array>(filled: A): A => {
    filled.set(data);
    for (let row = rows; row < count; row++) filled.copyWithin(row * rowSize, (rows - 1) * rowSize, rows * rowSize);
    return filled;
  };
  return data instanceof Int32Array
    ? { dims, data: fill(new Int32Array(count * rowSize)) }
    : { dims, data: fill(new Float32Array(count * rowSize)) };
}

function mapValues<A, B>(
  values: Readonly<Record<string, A>>,
  change: (value: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value, name)]));
}
