// How graphs are built and run on each device: one table instead of branches.

import type { FusedOperators } from './builder.ts';
import type { FloatType } from './graph.ts';
import type { ExecutionProvider, SessionOptions, WebGpuOptions } from './session.ts';

export interface Execution {
  readonly provider: ExecutionProvider;
  readonly float: FloatType;
  readonly fused: FusedOperators;
  /** Of the WebGPU provider; its defaults when left out. */
  readonly webgpu?: WebGpuOptions;
}

/** What a session of this execution is made with. */
export function sessionOptionsOf({ provider, webgpu }: Execution): SessionOptions {
  return { provider, ...(webgpu === undefined ? {} : { webgpu }) };
}

/**
 * Whether a provider plans its kernels again whenever the shape of their input changes, which takes much longer than
 * running them: CUDA (steady-batch.ts has the figure) and DirectML, whose kernels are made for the shapes of the last run.
 */
export const plansForEachShape: Readonly<Record<ExecutionProvider, boolean>> = {
  cpu: false,
  cuda: true,
  dml: true,
  coreml: false,
  webgpu: false,
};

const allFused: FusedOperators = {
  multiHeadAttention: true,
  wideValues: false,
  gelu: true,
  gemm: true,
  instanceNormalization: true,
};

/** What each provider is first tried with; device.ts falls back to plain operators where numbers differ. */
export const preferredExecution: Readonly<Record<ExecutionProvider, Execution>> = {
  cpu: { provider: 'cpu', float: 'float32', fused: { ...allFused, wideValues: true } },
  cuda: { provider: 'cuda', float: 'float16', fused: allFused },
  dml: { provider: 'dml', float: 'float16', fused: allFused },
  coreml: { provider: 'coreml', float: 'float32', fused: allFused },
  webgpu: {
    provider: 'webgpu',
    float: 'float16',
    fused: { ...allFused, instanceNormalization: false },
  },
};

/** The safest form: single precision and standard operators only. */
export function plainExecution(provider: ExecutionProvider): Execution {
  return {
    provider,
    float: 'float32',
    fused: { ...allFused, multiHeadAttention: false, wideValues: true, gelu: false, instanceNormalization: false },
  };
}
