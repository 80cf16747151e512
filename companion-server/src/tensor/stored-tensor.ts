// A tensor that still lies in a file: what weights/ finds, what onnx/ refers to as external data.
// Imports nothing.

/** Element types of weights that the networks accept. */
export type StoredDtype = 'float32' | 'float16' | 'bfloat16';

/** Where a weight's bytes are. The range was checked against the file's size when the file was opened. */
export interface StoredTensor {
  readonly dtype: StoredDtype;
  readonly dims: readonly number[];
  /** Absolute path of the file. */
  readonly file: string;
  /** First byte, counted from the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** The weights of one network by checkpoint key (the names that diffusers and transformers use). */
export type StoredTensors = ReadonlyMap<string, StoredTensor>;
