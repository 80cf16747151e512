// How fast a device multiplies, on a network of the kind that a UNet is made of, in less than a second.

import { GraphBuilder } from '../onnx/builder.ts';
import type { Execution } from '../onnx/execution.ts';
import type { Graph } from '../onnx/graph.ts';
import { multiplyAdds } from '../onnx/graph-work.ts';
import * as ops from '../onnx/ops.ts';
import { createSession } from '../onnx/session.ts';
import { sizeOf, tensor } from '../tensor/tensor.ts';

const [channels, side] = [128, 32] as const;
const convolutions = 3;
const inputDims = { image: [1, channels, side, side], kernel: [channels, channels, 3, 3], bias: [channels] } as const; // prettier-ignore
const runs = 3;

/** Seconds of a billion multiply-adds: the best of a few runs, after one that warms up. */
export async function probePace(execution: Execution): Promise<number> {
  const graph = buildPaceProbe(execution);
  const session = await createSession(graph, { provider: execution.provider });
  try {
    const inputs = Object.fromEntries(
      Object.entries(inputDims).map(([name, dims]) => [name, tensor([...dims], new Float32Array(sizeOf(dims)).fill(1e-3))]), // prettier-ignore
    );
    let best = Infinity;
    for (let run = 0; run <= runs; run++) {
      const start = performance.now();
      await session.run(inputs);
      if (run > 0) best = Math.min(best, (performance.now() - start) / 1000);
    }
    return best / (multiplyAdds(graph, {}) / 1e9);
  } finally {
    await session.release();
  }
}

function buildPaceProbe({ float, fused }: Pick<Execution, 'float' | 'fused'>): Graph {
  const g = new GraphBuilder({ name: 'pace probe', weights: new Map(), float, fused });
  const input = (name: keyof typeof inputDims) =>
    ops.cast(g, g.input(name, 'float32', [...inputDims[name]]), g.float);
  const [kernel, bias] = [input('kernel'), input('bias')];
  let image = input('image');
  for (let i = 0; i < convolutions; i++) image = ops.conv(g, image, kernel, bias);
  g.output('result', image);
  return g.finish();
}
