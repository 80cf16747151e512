// The only importer of onnxruntime-node: runs a graph on a device. Sees bytes and tensors only.

import * as ort from 'onnxruntime-node';
import type { Tensor } from '../tensor/tensor.ts';
import { verifyGraph } from './check.ts';
import type { Graph } from './graph.ts';
import { encodeModel, weightsFolder } from './serde.ts';

/** ONNX Runtime's names of the execution providers. */
export type ExecutionProvider = 'cuda' | 'dml' | 'coreml' | 'webgpu' | 'cpu';

/** Whole numbers for index inputs. */
export interface IndexTensor {
  readonly dims: readonly number[];
  readonly data: Int32Array;
}

export interface SessionOptions {
  readonly provider: ExecutionProvider;
  /** Threads inside one operator; all cores when left out. */
  readonly threads?: number;
  /** `extended` keeps memory-mapped weights as they are; `disabled` runs the graph as written. */
  readonly optimization?: 'disabled' | 'extended';
}

export interface Session {
  /** Runs the graph once. Blocks the event loop while it computes. Results are fresh memory. */
  run(
    inputs: Readonly<Record<string, Tensor | IndexTensor>>,
  ): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}

/** Execution providers that this build of ONNX Runtime can load on this system. */
export function availableProviders(): readonly string[] {
  return ort.listSupportedBackends().map(({ name }) => name);
}

function feed({ dims, data }: Tensor | IndexTensor): ort.Tensor {
  return data instanceof Int32Array
    ? new ort.Tensor('int32', data, dims)
    : new ort.Tensor('float32', data, dims);
}

function toTensor(name: string, result: ort.Tensor): Tensor {
  if (!(result.data instanceof Float32Array)) {
    throw new TypeError(`Output ${name} must be float32, got ${result.type}.`);
  }
  return { dims: result.dims, data: result.data };
}

/**
 * Loads a graph. Weights are mapped from their files, not copied: the same pages serve every session on the CPU.
 * Throws when the provider is missing or refuses the graph.
 */
export async function createSession(
  graph: Graph,
  { provider, threads, optimization = 'extended' }: SessionOptions,
): Promise<Session> {
  verifyGraph(graph);
  // ONNX Runtime itself would leave the provider out and compute on the CPU.
  if (!availableProviders().includes(provider)) {
    throw new Error(`This ONNX Runtime has no provider ${provider}.`);
  }
  const folder = weightsFolder(graph);
  const session = await ort.InferenceSession.create(encodeModel(graph), {
    executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
    graphOptimizationLevel: optimization,
    logSeverityLevel: 3,
    // An arena keeps the largest batch's memory for good; without it runs are as fast (measured within 1 %).
    enableCpuMemArena: false,
    enableMemPattern: false,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    extra: {
      session: {
        // Packing a weight copies it; mapped pages are shared and cost no private memory.
        disable_prepacking: '1',
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  });
  return {
    async run(inputs) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [name, feed(value)]),
      );
      const results = await session.run(feeds);
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, toTensor(name, value)]),
      );
    },
    release: () => session.release(),
  };
}
