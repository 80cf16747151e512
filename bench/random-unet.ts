// UNets of any size with random weights: speed does not depend on what the weights are.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { passVariant } from '../companion-server/src/nets/pass-attention.ts';
import { plainPass } from '../companion-server/src/nets/pass.ts';
import { parseUNetConfig, type UNetConfig } from '../companion-server/src/nets/unet-config.ts';
import { buildUNet } from '../companion-server/src/nets/unet.ts';
import { GraphBuilder, type Part } from '../companion-server/src/onnx/builder.ts';
import { symbol } from '../companion-server/src/onnx/dims.ts';
import { preferredExecution } from '../companion-server/src/onnx/execution.ts';
import type { Value } from '../companion-server/src/onnx/graph.ts';
import type { StoredTensors } from '../companion-server/src/tensor/stored-tensor.ts';
import { openSafetensors, storedTensor } from '../companion-server/src/weights/safetensors.ts';
import { writeRandomTensors, type RandomFloat } from './random-tensors.ts';

/** The config of Stable Diffusion 1.5's UNet. */
export const sd15Config = parseUNetConfig({
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
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

  override weightPart(key: string, dims: readonly number[], { count }: Part): Value {
    this.shapes.set(key, dims);
    const [rows = 1, ...rest] = dims;
    return this.input(key, 'float32', [rows / count, ...rest]);
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
  buildUNet(g, config, inputs, passVariant(plainPass, g));
  return g.shapes;
}

/** A safetensors file of random weights, made once in `dir`. */
export async function randomUNetWeights(
  config: UNetConfig,
  dir: string,
  float: RandomFloat = 'F32',
): Promise<StoredTensors> {
  const file = path.join(dir, `random-unet-${config.blockChannels.join('-')}-${float}.safetensors`);
  if (!existsSync(file)) await writeRandomUNet(config, file, float);
  const opened = await openSafetensors(file);
  return new Map(
    [...opened.entries].flatMap(([name, entry]) => {
      const stored = storedTensor(opened.path, entry);
      return stored === undefined ? [] : [[name, stored] as const];
    }),
  );
}

/** Small predictions, as of a network that hardly sees noise: an inversion of them converges as a real one does. */
const predictionGain = 0.1;

export function writeRandomUNet(config: UNetConfig, file: string, float: RandomFloat): Promise<void> {
  const gain = (name: string) => (name === 'conv_out.weight' ? predictionGain : 1);
  return writeRandomTensors(file, weightShapes(config), { float, gain });
}
