// A tensor that is still in a file: weights/ finds it, and onnx/ refers to it as external data.
// Imports nothing.

/** Element types of weights that are read. Those of eight bits are widened before a network gets them. */
export type StoredDtype = 'float32' | 'float16' | 'bfloat16' | 'float8_e4m3' | 'float8_e5m2';

/** Bytes per element. */
export const storedItemSizes: Readonly<Record<StoredDtype, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float8_e4m3: 1,
  float8_e5m2: 1,
};

/** What is known of a weight without its values. */
export interface TensorInfo {
  readonly dtype: StoredDtype;
  readonly dims: readonly number[];
}

/** Where a weight's bytes are. The range was checked against the file's size when the file was opened. */
export interface StoredTensor extends TensorInfo {
  /** Absolute path of the file. */
  readonly file: string;
  /** First byte, counted from the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** The weights of one network by checkpoint key (the names that diffusers and transformers use). */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;

/** Weights for a graph that is counted or measured and never loaded. */
export function withoutFiles(tensors: ReadonlyMap<string, TensorInfo>): StoredTensors {
  return new Map([...tensors].map(([name, info]) => [name, { ...info, file: '', byteOffset: 0, byteLength: 0 }]));
}
