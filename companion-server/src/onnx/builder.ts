// Records nodes and hands out values. Shapes are inferred in ops.ts; names come from one namer.

import type { StoredDtype, StoredTensor, StoredTensors } from '../tensor/stored-tensor.ts';
import { formatDim, formatDims, type Dims } from './dims.ts';
import {
  elementTypes,
  ShapeError,
  type Attribute,
  type DataType,
  type FloatType,
  type Graph,
  type Initializer,
  type Node,
  type Value,
} from './graph.ts';

export interface NodeSpec {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly { readonly dtype: DataType; readonly dims: Dims }[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** Which fused operators a graph may use; decided per device by what its self-test trusts (device.ts). */
export interface FusedOperators {
  /** com.microsoft.MultiHeadAttention; the plain form is chunked over queries. */
  readonly multiHeadAttention: boolean;
  /**
   * Whether attention may have values that are wider than its keys. Fused kernels of graphics devices have no tiled form for
   * that and would hold all scores at once.
   */
  readonly wideValues: boolean;
  /** com.microsoft.Gelu; the plain form is x/2 * (1 + erf(x / sqrt 2)). */
  readonly gelu: boolean;
  /** Gemm with a transposed weight; the plain form is Transpose, MatMul, Add. */
  readonly gemm: boolean;
  /**
   * InstanceNormalization; the plain form is (x - mean) / sqrt(variance + epsilon). The WebGPU kernel of ONNX Runtime
   * 1.30 keeps the epsilon that it was first compiled with for every later node: an error of 1e-5 in this network, which
   * has two epsilons, and enough to flip nearest neighbours.
   */
  readonly instanceNormalization: boolean;
}

export interface GraphOptions {
  readonly name: string;
  readonly weights: StoredTensors;
  /** The type that the network computes in. Weights of another type are cast inside the graph. */
  readonly float: FloatType;
  readonly fused: FusedOperators;
}

/** One of `count` equal parts. */
export interface Part {
  /** 0..count-1 */
  readonly index: number;
  readonly count: number;
}

/** Constants of at most so many values carry them in their name. */
const longestNamed = 8;

export class GraphBuilder {
  readonly float: FloatType;
  readonly fused: FusedOperators;
  private readonly graphName: string;
  private readonly weights: StoredTensors;
  private readonly inputs: Value[] = [];
  private readonly outputs: Value[] = [];
  private readonly nodes: Node[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly castWeights = new Map<string, Value>();
  private readonly constants = new Map<string, Value>();
  private readonly taken = new Map<string, number>();
  private scopeName = '';

  constructor({ name, weights, float, fused }: GraphOptions) {
    this.graphName = name;
    this.weights = weights;
    this.float = float;
    this.fused = fused;
  }

  /** Everything that `build` records gets `name` (a checkpoint key) in front of its own. */
  scope<T>(name: string, build: () => T): T {
    const outer = this.scopeName;
    this.scopeName = name;
    try {
      return build();
    } finally {
      this.scopeName = outer;
    }
  }

  input(name: string, dtype: DataType, dims: Dims): Value {
    const value = { name: this.unique(name), dtype, dims };
    this.inputs.push(value);
    return value;
  }

  /** Names a result. It is computed in the type of the graph and returned as float32. */
  output(name: string, value: Value): Value {
    const spec = {
      op: value.dtype === 'float16' ? 'Cast' : 'Identity',
      attributes: value.dtype === 'float16' ? { to: elementTypes.float32 } : {},
      inputs: [value],
    };
    const dtype = value.dtype === 'float16' ? 'float32' : value.dtype;
    const named = { name: this.unique(name), dtype, dims: value.dims };
    this.nodes.push({ ...spec, name: `${named.name}.out`, domain: '', outputs: [named] });
    this.outputs.push(named);
    return named;
  }

  /** Records a node and returns its first output. */
  op(spec: NodeSpec): Value {
    const [first] = this.opWithOutputs(spec);
    if (first === undefined) throw new ShapeError(spec.op, 'must have an output');
    return first;
  }

  opWithOutputs({ op, domain = '', inputs, outputs, attributes = {} }: NodeSpec): Value[] {
    const name = this.unique(this.scopeName === '' ? op : `${this.scopeName}/${op}`);
    const values = outputs.map((output, index) => ({
      name: index === 0 ? name : `${name}.${index}`,
      ...output,
    }));
    this.nodes.push({ name, op, domain, inputs, outputs: values, attributes });
    return values;
  }

  hasWeight(key: string): boolean {
    return this.weights.has(key);
  }

  /**
   * A weight by its checkpoint key. `dims` is what the network needs; the stored dims may differ in axes of one element
   * ([C] seen as [C, 1, 1], a 1x1 convolution seen as a matrix).
   */
  weight(key: string, dims: readonly number[]): Value {
    return this.initializer(`${key}:${dims.join('x')}`, dims, this.storedWeight(key, dims));
  }

  /**
   * Some of the rows of a weight, which lie together in its file. `dims` is that of the whole weight; the result has a
   * `count`th of its rows. Throws ShapeError where the rows cannot be divided so.
   */
  weightPart(key: string, dims: readonly number[], { index, count }: Part): Value {
    const stored = this.storedWeight(key, dims);
    const [rows = 1, ...rest] = dims;
    if (rows % count !== 0) {
      throw new ShapeError(this.graphName, `weight ${key} has ${rows} rows, which are no multiple of ${count}`);
    }
    const partDims = [rows / count, ...rest];
    const byteLength = stored.byteLength / count;
    const part = { ...stored, dims: partDims, byteOffset: stored.byteOffset + index * byteLength, byteLength };
    return this.initializer(`${key}[${index}/${count}]:${partDims.join('x')}`, partDims, part);
  }

  private storedWeight(key: string, dims: readonly number[]): StoredTensor {
    const stored = this.weights.get(key);
    if (stored === undefined) {
      throw new ShapeError(this.graphName, `the checkpoint has no weight named ${key}`);
    }
    if (withoutUnits(stored.dims) !== withoutUnits(dims)) {
      throw new ShapeError(
        this.graphName,
        `weight ${key} must have the shape ${formatDims(dims)}, got ${formatDims(stored.dims)}`,
      );
    }
    return stored;
  }

  /** In the type of the graph. */
  private initializer(name: string, dims: readonly number[], stored: StoredTensor): Value {
    const known = this.castWeights.get(name) ?? this.initializers.get(name)?.value;
    if (known !== undefined) return known;
    const value: Value = { name, dtype: graphType(stored.dtype), dims };
    this.initializers.set(name, { value, stored });
    if (value.dtype === this.float) return value;
    const cast = this.op({
      op: 'Cast',
      inputs: [value],
      outputs: [{ dtype: this.float, dims }],
      attributes: { to: elementTypes[this.float] },
    });
    this.castWeights.set(name, cast);
    return cast;
  }

  /** A small constant kept inside the graph. Equal constants are stored once. */
  constant(dtype: 'float32' | 'int32' | 'int64', values: readonly number[], dims: Dims): Value {
    const kind = `const:${dtype}:${dims.map(formatDim).join('x')}`;
    const content = `${kind}:${values.join(',')}`;
    const known = this.constants.get(content);
    if (known !== undefined) return known;
    const name = values.length > longestNamed ? this.unique(`${kind}:large`) : content;
    const array =
      dtype === 'float32'
        ? Float32Array.from(values)
        : dtype === 'int32'
          ? Int32Array.from(values)
          : BigInt64Array.from(values, (value) => BigInt(value));
    const value: Value = { name, dtype, dims };
    this.initializers.set(name, { value, bytes: new Uint8Array(array.buffer) });
    this.constants.set(content, value);
    return value;
  }

  /** The finished graph, without the nodes and constants that no output needs. */
  finish(): Graph {
    const needed = new Set<Value>(this.outputs);
    const kept: Node[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      kept.push(node);
      for (const input of node.inputs) if (input !== null) needed.add(input);
    }
    return {
      name: this.graphName,
      inputs: this.inputs.filter((input) => needed.has(input)),
      outputs: this.outputs,
      nodes: kept.reverse(),
      initializers: [...this.initializers.values()].filter(({ value }) => needed.has(value)),
    };
  }

  private unique(wanted: string): string {
    const count = this.taken.get(wanted) ?? 0;
    this.taken.set(wanted, count + 1);
    return count === 0 ? wanted : `${wanted}_${count}`;
  }
}

/** The dims that are more than one, to compare. */
function withoutUnits(dims: readonly number[]): string {
  return dims.filter((size) => size !== 1).join('x');
}

/** Opset 17 has no element types of eight bits. */
function graphType(dtype: StoredDtype): DataType {
  if (dtype === 'float8_e4m3' || dtype === 'float8_e5m2') {
    throw new TypeError(`Weights of ${dtype} must be widened before a graph refers to them.`);
  }
  return dtype;
}
