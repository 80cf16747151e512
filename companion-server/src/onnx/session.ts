// The only importer of onnxruntime-node: runs a graph on a device. Sees bytes and tensors only.

import type * as OnnxRuntime from 'onnxruntime-node';
import type { Tensor } from '../tensor/tensor.ts';
import { verifyGraph } from './check.ts';
import type { Graph } from './graph.ts';
import { encodeModel, weightsFolder } from './serde.ts';

/** ONNX Runtime's names of the execution providers. */
export type ExecutionProvider = 'cuda' | 'dml' | 'coreml' | 'webgpu' | 'cpu';

/**
 * Options of the WebGPU provider that the Node binding of ONNX Runtime 1.30 passes on. It refuses every other name, and
 * `extra` entries of the session come too late for the provider (js/node/src/session_options_helper.cc).
 */
export interface WebGpuOptions {
  readonly preferredLayout?: 'NCHW' | 'NHWC';
  readonly validationMode?: 'disabled' | 'wgpuOnly' | 'basic' | 'full';
  readonly storageBufferCacheMode?: BufferCacheMode;
  readonly uniformBufferCacheMode?: BufferCacheMode;
  readonly defaultBufferCacheMode?: BufferCacheMode;
  readonly enableRobustness?: boolean;
}

type BufferCacheMode = 'disabled' | 'lazyRelease' | 'simple' | 'bucket';

/** What one run of a session cost. */
export interface RunCost {
  readonly graph: string;
  readonly seconds: number;
  /** Bytes of the inputs and of the results: what crosses main memory. */
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** The native library of ONNX Runtime could not be loaded. `message` says why, and what to install. */
export class RuntimeLoadError extends Error {
  override readonly name = 'RuntimeLoadError';
}

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
  readonly webgpu?: WebGpuOptions;
  /** Packs weights for the CPU's matrix products: private memory for every session instead of shared pages. */
  readonly prepacked?: boolean;
  /** Called after every run. */
  readonly onRun?: (cost: RunCost) => void;
}

export interface Session {
  /** Runs the graph once. Blocks the event loop while it computes. Results are fresh memory. */
  run(inputs: Readonly<Record<string, Tensor | IndexTensor>>): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}

type Runtime = typeof OnnxRuntime;

// ONNX Runtime reports how it is used to its makers, and gives the machine an identity for it in the user's folder, unless this
// variable is set when it is loaded.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

const loaded: Runtime | RuntimeLoadError = await import('onnxruntime-node').then(
  (module) => module,
  (error: unknown) => new RuntimeLoadError(explainLoadFailure(error, process.platform), { cause: error }),
);

/** Throws RuntimeLoadError. A program that cannot compute can still answer, list and explain. */
function runtime(): Runtime {
  if (loaded instanceof RuntimeLoadError) throw loaded;
  return loaded;
}

/**
 * Why the native library did not load. On Windows error 1114 (a DLL's initialisation failed) and 126 (a DLL is missing)
 * mean a C++ runtime that is missing or older than the one that ONNX Runtime was built with.
 */
export function explainLoadFailure(error: unknown, platform: NodeJS.Platform): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  const failure = `ONNX Runtime could not be loaded: ${line}`;
  if (platform === 'win32') {
    return `${failure} Install the current Microsoft Visual C++ 2015-2022 Redistributable (https://aka.ms/vs/17/release/vc_redist.x64.exe) and start again.`;
  }
  return `${failure} Install the program again; the processor and the system must be among those that docs/gpu.md names.`;
}

/** Execution providers that this build of ONNX Runtime can load on this system. None where it cannot be loaded itself. */
export function availableProviders(): readonly string[] {
  return loaded instanceof RuntimeLoadError ? [] : loaded.listSupportedBackends().map(({ name }) => name);
}

/** Why ONNX Runtime could not be loaded, or null. */
export function runtimeFailure(): string | null {
  return loaded instanceof RuntimeLoadError ? loaded.message : null;
}

function feed({ Tensor: OrtTensor }: Runtime, { dims, data }: Tensor | IndexTensor): OnnxRuntime.Tensor {
  return data instanceof Int32Array ? new OrtTensor('int32', data, dims) : new OrtTensor('float32', data, dims);
}

function toTensor(name: string, result: OnnxRuntime.Tensor): Tensor {
  if (!(result.data instanceof Float32Array)) {
    throw new TypeError(`Output ${name} must be float32, got ${result.type}.`);
  }
  return { dims: result.dims, data: result.data };
}

/**
 * Loads a graph. Weights are mapped from their files, not copied: the same pages serve every session on the CPU.
 * Throws when the provider is missing or refuses the graph, and RuntimeLoadError.
 */
export async function createSession(graph: Graph, options: SessionOptions): Promise<Session> {
  const { provider, threads, optimization = 'extended', webgpu = {}, prepacked = false, onRun } = options;
  verifyGraph(graph);
  const ort = runtime();
  // ONNX Runtime itself would leave the provider out and compute on the CPU.
  if (!availableProviders().includes(provider)) {
    throw new Error(`This ONNX Runtime has no provider ${provider}.`);
  }
  const folder = weightsFolder(graph);
  const session = await ort.InferenceSession.create(encodeModel(graph), {
    executionProviders: executionProviders(provider, webgpu),
    graphOptimizationLevel: optimization,
    logSeverityLevel: 3,
    // An arena never releases the largest batch's memory; without it runs are as fast (measured within 1 %).
    enableCpuMemArena: false,
    enableMemPattern: false,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    extra: {
      session: {
        // Each session has threads of its own. Those of the last one would go on spinning and slow down the next: 58 instead
        // of 34 ms for a frame of the embedded model on two cores.
        force_spinning_stop: '1',
        // Packing a weight copies it; mapped pages are shared and cost no private memory.
        disable_prepacking: prepacked ? '0' : '1',
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
      },
    },
  });
  return {
    async run(inputs) {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, feed(ort, value)]));
      const start = performance.now();
      const found = await session.run(feeds);
      const seconds = (performance.now() - start) / 1000;
      const results = Object.fromEntries(Object.entries(found).map(([name, value]) => [name, toTensor(name, value)]));
      onRun?.({
        graph: graph.name,
        seconds,
        inputBytes: totalBytes(Object.values(inputs)),
        outputBytes: totalBytes(Object.values(results)),
      });
      return results;
    },
    release: () => session.release(),
  };
}

/** What a provider cannot compute is left to the CPU. */
function executionProviders(
  provider: ExecutionProvider,
  webgpu: WebGpuOptions,
): OnnxRuntime.InferenceSession.ExecutionProviderConfig[] {
  if (provider === 'cpu') return ['cpu'];
  return [provider === 'webgpu' ? { name: 'webgpu', ...webgpu } : provider, 'cpu'];
}

function totalBytes(tensors: readonly (Tensor | IndexTensor)[]): number {
  return tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
}
