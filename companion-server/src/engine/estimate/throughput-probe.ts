// How fast a device computes what a UNet spends its time on, in about a second, once in a process: convolutions and
// self-attention as wide and as large as those of its finest level, where both work worst.

import { setImmediate as turn } from 'node:timers/promises';
import { CanceledError, throwIfCanceled } from '../../errors.ts';
import { attention } from '../../nets/attention.ts';
import type { DenoisingNetwork, LatentSize } from '../../nets/denoising-network.ts';
import { GraphBuilder } from '../../onnx/builder.ts';
import { preferredExecution, type Execution } from '../../onnx/execution.ts';
import type { Graph } from '../../onnx/graph.ts';
import { multiplyAdds } from '../../onnx/graph-work.ts';
import * as ops from '../../onnx/ops.ts';
import { createSession } from '../../onnx/session.ts';
import { sizeOf, tensor } from '../../tensor/tensor.ts';
import { reason } from '../device/device.ts';

export interface ProbedNetwork {
  readonly unet: Pick<DenoisingNetwork, 'finestLevel'>;
  readonly latentSize: LatentSize;
}

const convolutions = 2;
/** Largest side, in latents: attention grows with its fourth power. */
const maxSide = 64;
const runs = 2;

/** Results of this process: edit and preview are estimated together, and again after every change of a setting. */
const found = new Map<string, number>();

/**
 * Seconds for a billion multiply-adds on the device. If the trial fails, those of the CPU: an edit does not fail because
 * there is no guess, and it will report itself what is wrong with the device. Throws CanceledError between two runs once
 * `signal` is aborted.
 */
export async function probeThroughput(
  execution: Execution,
  network: ProbedNetwork,
  signal?: AbortSignal,
): Promise<number> {
  try {
    return await probeOnce(execution, network, signal);
  } catch (error) {
    if (execution.provider === 'cpu' || error instanceof CanceledError) throw error;
    process.stderr.write(`The throughput of ${execution.provider} was not found: ${reason(error)}\n`);
    return probeOnce(preferredExecution.cpu, network, signal);
  }
}

async function probeOnce(execution: Execution, network: ProbedNetwork, signal?: AbortSignal): Promise<number> {
  const { provider, float, fused } = execution;
  const key = JSON.stringify({
    provider,
    float,
    fused,
    heads: network.unet.finestLevel.heads,
    dims: inputDims(network),
  });
  const seconds = found.get(key) ?? (await timeProbe(execution, network, signal));
  found.set(key, seconds);
  return seconds;
}

/** The best of a few runs, after one that warms up. */
async function timeProbe(execution: Execution, network: ProbedNetwork, signal?: AbortSignal): Promise<number> {
  const graph = buildThroughputProbe(execution, network);
  const session = await createSession(graph, { provider: execution.provider });
  try {
    const inputs = Object.fromEntries(
      Object.entries(inputDims(network)).map(([name, dims]) => [
        name,
        tensor(dims, new Float32Array(sizeOf(dims)).fill(1e-3)),
      ]),
    );
    let best = Infinity;
    for (let run = 0; run <= runs; run++) {
      // A run blocks the event loop, and a cancel of the estimate arrives through the event loop.
      await turn();
      throwIfCanceled(signal);
      const start = performance.now();
      await session.run(inputs);
      if (run > 0) best = Math.min(best, (performance.now() - start) / 1000);
    }
    return best / (multiplyAdds(graph, {}) / 1e9);
  } finally {
    await session.release();
  }
}

function inputDims({ unet, latentSize }: ProbedNetwork) {
  const { channels } = unet.finestLevel;
  const side = (length: number): number => Math.min(maxSide, length);
  return {
    image: [1, channels, side(latentSize.height), side(latentSize.width)],
    kernel: [channels, channels, 3, 3],
    bias: [channels],
  } satisfies Record<string, readonly number[]>;
}

function buildThroughputProbe({ float, fused }: Pick<Execution, 'float' | 'fused'>, network: ProbedNetwork): Graph {
  const g = new GraphBuilder({ name: 'throughput probe', weights: new Map(), float, fused });
  const dims = inputDims(network);
  const input = (name: keyof typeof dims) => ops.cast(g, g.input(name, 'float32', dims[name]), g.float);
  const [kernel, bias] = [input('kernel'), input('bias')];
  let image = input('image');
  for (let i = 0; i < convolutions; i++) image = ops.conv(g, image, kernel, bias);
  const [, channels = 1, height = 1, width = 1] = dims.image;
  const length = height * width;
  const tokens = ops.transpose(g, ops.reshape(g, image, [1, channels, length]), [0, 2, 1]);
  const { heads } = network.unet.finestLevel;
  g.output('result', attention(g, tokens, tokens, tokens, { heads, queries: length, keys: length }));
  return g.finish();
}
