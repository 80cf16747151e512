// UNets of any size with random weights: speed does not depend on what the weights are.

import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { plainVariant } from '../companion-server/src/nets/tokenflow-attention.ts';
import { parseUNetConfig, type UNetConfig } from '../companion-server/src/nets/unet-config.ts';
import { buildUNet } from '../companion-server/src/nets/unet.ts';
import { GraphBuilder } from '../companion-server/src/onnx/builder.ts';
import { symbol } from '../companion-server/src/onnx/dims.ts';
import { preferredExecution } from '../companion-server/src/onnx/execution.ts';
import type { Value } from '../companion-server/src/onnx/graph.ts';
import type { StoredTensors } from '../companion-server/src/tensor/stored-tensor.ts';
import { createRandom } from '../companion-server/src/tensor/random.ts';
import { sizeOf } from '../companion-server/src/tensor/tensor.ts';
import { openSafetensors, storedTensor } from '../companion-server/src/weights/safetensors.ts';
import { layOut } from '../companion-server/src/weights/safetensors-write.ts';

/** The config of Stable Diffusion 1.5's UNet. */
export const sd15Config = parseUNetConfig({
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'], // prettier-ignore
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  attention_head_dim: 8,
  cross_attention_dim: 768,
});

/** Notes which weights a network asks for. */
class WeightRecorder extends GraphBuilder {
  readonly shapes = new Map<string, readonly number[]>();

  override hasWeight(): boolean {
    return false;
  }

  override weight(key: string, dims: readonly number[]): Value {
    this.shapes.set(key, dims);
    return this.input(key, 'float32', dims);
  }
}

function weightShapes(config: UNetConfig): ReadonlyMap<string, readonly number[]> {
  const { fused } = preferredExecution.cpu;
  const g = new WeightRecorder({ name: 'shapes', weights: new Map(), float: 'float32', fused });
  const inputs = {
    latents: g.input('latents', 'float32', [symbol('frames'), config.latentChannels, 8, 8]),
    timeFeatures: g.input('time_features', 'float32', [1, config.blockChannels[0] ?? 0]),
    context: g.input('context', 'float32', [1, symbol('tokens'), config.crossAttentionDim]),
  };
  buildUNet(g, config, inputs, plainVariant);
  return g.shapes;
}

/** Values of a typical scale; longer tensors repeat them. */
function noiseBlock(length: number): Float32Array {
  const random = createRandom(3);
  return Float32Array.from({ length }, () => 0.02 * random.gaussian());
}

/** A safetensors file of random float32 weights, made once in `dir`. */
export async function randomUNetWeights(config: UNetConfig, dir: string): Promise<StoredTensors> {
  const file = path.join(dir, `random-unet-${config.blockChannels.join('-')}.safetensors`);
  if (!existsSync(file)) await writeRandomWeights(config, dir, file);
  const opened = await openSafetensors(file);
  return new Map(
    [...opened.entries].flatMap(([name, entry]) => {
      const stored = storedTensor(opened.path, entry);
      return stored === undefined ? [] : [[name, stored] as const];
    }),
  );
}

async function writeRandomWeights(config: UNetConfig, dir: string, file: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  const layout = layOut(weightShapes(config));
  const block = noiseBlock(1 << 20);
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(layout.head);
    for (const name of layout.names) {
      let left = sizeOf(layout.shapes.get(name) ?? []);
      while (left > 0) {
        const part = block.subarray(0, Math.min(left, block.length));
        await handle.writeFile(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
        left -= part.length;
      }
    }
  } finally {
    await handle.close();
  }
}
