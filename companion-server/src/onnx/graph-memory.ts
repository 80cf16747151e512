// How much memory a graph's values take while it runs, from shapes alone. A value lives from the node that makes it to
// the last that reads it, which is how ONNX Runtime keeps them without an arena. Pure.

import type { Dims } from './dims.ts';
import type { DataType, Graph, Value } from './graph.ts';

/** Sizes of the graph's unknowns by name. */
export type DimSizes = Readonly<Record<string, number>>;

const bytesPerElement: Readonly<Record<DataType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
};

/** Operators that hand on what they were given under another shape. */
const views = ['Reshape', 'Identity'];
/** Operators that may write to the memory of an input that no other operator reads. */
const inPlace = ['Add', 'Sub', 'Mul', 'Div', 'Clip', 'Sigmoid', 'Erf', 'Sqrt', 'Softmax'];

/** Bytes of a value. Throws RangeError for an unknown that `sizes` does not have. */
export function valueBytes({ dtype, dims }: Pick<Value, 'dtype' | 'dims'>, sizes: DimSizes): number {
  return bytesPerElement[dtype] * elementCount(dims, sizes);
}

/** Most bytes of inputs, outputs and intermediate values at any one time; weights do not count. */
export function peakActivationBytes(graph: Graph, sizes: DimSizes): number {
  const constants = new Set(graph.initializers.map(({ value }) => value));
  const kept = new Set<Value>([...graph.inputs, ...graph.outputs]);
  /** The value whose memory a value uses. */
  const owners = new Map<Value, Value>();
  const ownerOf = (value: Value): Value => owners.get(value) ?? value;
  const lastUse = new Map<Value, number>();
  graph.nodes.forEach(({ op, inputs, outputs }, i) => {
    const [first] = inputs;
    const [made] = outputs;
    if (views.includes(op) && first !== null && first !== undefined && made !== undefined) {
      owners.set(made, ownerOf(first));
      if (kept.has(made)) kept.add(ownerOf(first));
    }
    for (const input of inputs) if (input !== null) lastUse.set(ownerOf(input), i);
  });

  let now = graph.inputs.reduce((sum, input) => sum + valueBytes(input, sizes), 0);
  let peak = now;
  graph.nodes.forEach(({ op, inputs, outputs }, i) => {
    const dying = new Set(
      inputs
        .filter((input) => input !== null)
        .map(ownerOf)
        .filter((owner) => lastUse.get(owner) === i && !kept.has(owner) && !constants.has(owner)),
    );
    const dyingBytes = [...dying].reduce((sum, value) => sum + valueBytes(value, sizes), 0);
    const made = outputs.filter((output) => !owners.has(output));
    const madeBytes = made.reduce((sum, output) => sum + valueBytes(output, sizes), 0);
    const reused = inPlace.includes(op) ? Math.min(dyingBytes, madeBytes) : 0;
    peak = Math.max(peak, now + madeBytes - reused);
    // A value that no operator reads is freed at once.
    const unread = made.filter((output) => !lastUse.has(output) && !kept.has(output));
    const unreadBytes = unread.reduce((sum, output) => sum + valueBytes(output, sizes), 0);
    now += madeBytes - dyingBytes - unreadBytes;
  });
  return peak;
}

/** Elements of a value with these dims. Throws RangeError for an unknown that `sizes` does not have. */
export function elementCount(dims: Dims, sizes: DimSizes): number {
  return dims.reduce<number>((product, dim) => {
    if (typeof dim === 'number') return product * dim;
    return dim.symbols.reduce((part, name) => part * sizeNamed(name, sizes), product * dim.factor);
  }, 1);
}

function sizeNamed(name: string, sizes: DimSizes): number {
  const size = sizes[name];
  if (size === undefined) throw new RangeError(`The size of ${name} is not known.`);
  return size;
}
