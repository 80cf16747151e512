// UNets of any size with random weights: speed does not depend on what the weights are.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseUNetConfig as parseSdxlUNetConfig } from '../companion-server/src/families/sdxl/unet-config.ts';
import { denoisingUNet as denoisingSdxlUNet } from '../companion-server/src/families/sdxl/unet.ts';
import { denoisingUNet } from '../companion-server/src/families/stable-diffusion/unet.ts';
import { parseUNetConfig } from '../companion-server/src/families/stable-diffusion/unet-config.ts';
import type { DenoisingNetwork } from '../companion-server/src/nets/denoising-network.ts';
import { passHooks } from '../companion-server/src/nets/pass-hooks.ts';
import { plainPass } from '../companion-server/src/nets/pass.ts';
import type { UNetConfig } from '../companion-server/src/nets/unet-blocks.ts';
import { symbol } from '../companion-server/src/onnx/dims.ts';
import type { StoredTensors } from '../companion-server/src/tensor/stored-tensor.ts';
import { openSafetensors, storedTensors } from '../companion-server/src/weights/safetensors.ts';
import { WeightRecorder } from './weight-recorder.ts';
import { writeRandomTensors, type RandomFloat } from './random-tensors.ts';

/** The config of Stable Diffusion 1.5's UNet. */
export const sd15Config = parseUNetConfig({
  block_out_channels: [320, 640, 1280, 1280],
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  attention_head_dim: 8,
  cross_attention_dim: 768,
});

export function unetShapes(config: UNetConfig): ReadonlyMap<string, readonly number[]> {
  return shapesOfNetwork(denoisingUNet(config));
}

/** @param config unet/config.json of Stable Diffusion XL */
export function sdxlUNetShapes(config: Readonly<Record<string, unknown>>): ReadonlyMap<string, readonly number[]> {
  return shapesOfNetwork(denoisingSdxlUNet(parseSdxlUNetConfig(config)));
}

/** Shapes of all weights by their keys. */
export function shapesOfNetwork(network: DenoisingNetwork): ReadonlyMap<string, readonly number[]> {
  const g = new WeightRecorder();
  const latents = g.input('latents', 'float32', [symbol('frames'), network.latentChannels, 8, 8]);
  network.build(g, latents, passHooks(plainPass, g, network.injectionPoints));
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
  return storedTensors(await openSafetensors(file));
}

/** Small predictions, as of a network that hardly sees noise: an inversion of them converges as a real one does. */
const predictionGain = 0.1;

export function writeRandomUNet(config: UNetConfig, file: string, float: RandomFloat): Promise<void> {
  const gain = (name: string) => (name === 'conv_out.weight' ? predictionGain : 1);
  return writeRandomTensors(file, unetShapes(config), { float, gain });
}
