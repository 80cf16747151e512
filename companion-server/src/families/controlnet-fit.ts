// Whether a ControlNet belongs to a checkpoint: the residuals must have the shapes of the UNet's skip connections, and it
// must be told what the UNet is told.

import { EditError } from '../errors.ts';
import type { ControlNetwork } from '../nets/controlnet.ts';
import { ShapeError } from '../onnx/graph.ts';
import { withoutFiles, type TensorInfo } from '../tensor/stored-tensor.ts';
import type { JsonObject } from '../weights/json-file.ts';
import type { TensorSource } from '../weights/tensor-source.ts';
import type { LatentFormat, ModelFamily } from './family.ts';

/** What a ControlNet must fit. */
export interface ControlledModel {
  readonly family: Pick<ModelFamily, 'title' | 'controlNetwork'>;
  /** Of the UNet. */
  readonly config: JsonObject;
  readonly weights: TensorSource;
  readonly latents: Pick<LatentFormat, 'downscale' | 'channels'>;
}

type Tensors = ReadonlyMap<string, TensorInfo>;

const fused = { multiHeadAttention: true, wideValues: true, gelu: true, gemm: true, instanceNormalization: true };

/**
 * The network of the ControlNet. Every weight has been asked for once. Throws EditError: 'model-unsupported' where it is for
 * another model, 'model-damaged' where weights are missing.
 */
export function buildChecked(model: ControlledModel, config: JsonObject, tensors: Tensors): ControlNetwork {
  const { family, config: unet } = model;
  const [here, made] = [modelOf(unet), modelOf(config)];
  if (family.controlNetwork === undefined) throw unfit(`${family.title} has no ControlNets here.`);
  if (here !== made) throw unfit(`It is for ${made}. This model is ${here}.`);
  const network = family.controlNetwork(config);
  const { downscale, channels } = model.latents;
  if (network.downscale !== downscale) {
    throw unfit(`Its control picture has ${network.downscale} pixels per latent, the model ${downscale}.`);
  }
  if (network.config.unet.latentChannels !== channels) {
    throw unfit(`It works on ${network.config.unet.latentChannels} latent channels, the model on ${channels}.`);
  }
  requireSameWidths(unet, config);
  const side = 2 ** (network.config.unet.blockChannels.length - 1);
  const single = new Map([...tensors].map(([key, { dims }]) => [key, { dtype: 'float32', dims } as const]));
  const options = { name: 'ControlNet', weights: withoutFiles(single), float: 'float32', fused } as const;
  try {
    network.build(1, { height: side, width: side }, options);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new EditError('model-damaged', error.message, { cause: error });
  }
  return network;
}

/** Skip connections have these widths. */
function requireSameWidths(unet: JsonObject, config: JsonObject): void {
  for (const field of ['block_out_channels', 'layers_per_block', 'cross_attention_dim']) {
    const [wanted, found] = [unet, config].map((json) => JSON.stringify(json[field] ?? defaults[field]));
    if (wanted !== found) throw unfit(`Its ${field} is ${found}, the model's is ${wanted}.`);
  }
}

const defaults: Readonly<Record<string, unknown>> = { layers_per_block: 2 };

/** By what the network is told. */
function modelOf(config: JsonObject): string {
  if ((config['addition_embed_type'] ?? null) !== null) return 'Stable Diffusion XL';
  switch (config['cross_attention_dim']) {
    case 768:
      return 'Stable Diffusion 1.x';
    case 1024:
      return 'Stable Diffusion 2.x';
    default:
      return `a model that reads text of width ${String(config['cross_attention_dim'])}`;
  }
}

function unfit(reason: string): EditError {
  return new EditError('model-unsupported', reason);
}
