// What config.json of a ControlNet says, checked: the fields of its own, and those of the UNet that it is a copy of.

import type { ControlNetConfig } from '../nets/controlnet.ts';
import type { UNetConfig } from '../nets/unet-blocks.ts';
import type { JsonObject } from '../weights/json-file.ts';
import { ConfigReader } from './config-reader.ts';

const source = 'controlnet/config.json';
const hint = 'Use a ControlNet of Stable Diffusion 1.x, 2.x or XL.';

/** Of lllyasviel's networks: three halvings, as many as the VAE makes. */
const usualEmbedding = [16, 32, 96, 256];

/** Throws EditError('model-unsupported') naming the field that does not fit. `parseUNet` reads a UNet's config.json. */
export function parseControlNetConfig<Unet extends UNetConfig>(
  json: JsonObject,
  parseUNet: (json: JsonObject, source: string) => Unet,
): ControlNetConfig & { readonly unet: Unet } {
  const config = new ConfigReader(json, source, hint);
  config.expect('conditioning_channels', [3]);
  const embedding = config.raw('conditioning_embedding_out_channels') ?? null;
  return {
    unet: parseUNet(asUNet(json), source),
    embeddingChannels: embedding === null ? usualEmbedding : config.integers('conditioning_embedding_out_channels'),
    channelOrder: config.choice('controlnet_conditioning_channel_order', ['rgb', 'bgr'], 'rgb'),
    poolsResiduals: config.boolean('global_pool_conditions', false),
  };
}

/** The way up is not part of a ControlNet: it is described as the mirror of the way down. */
function asUNet(json: JsonObject): JsonObject {
  const { transformer_layers_per_block: depths, down_block_types: down, class_embed_type: embedsClass } = json;
  const types = Array.isArray(down) ? down.map((type) => String(type).replace('Down', 'Up')).reverse() : down;
  const isUneven = Array.isArray(depths) && depths.some((depth) => Array.isArray(depth));
  return {
    ...json,
    _class_name: 'UNet2DConditionModel',
    up_block_types: types,
    out_channels: json['in_channels'] ?? 4,
    ...(embedsClass === undefined ? {} : { class_embed_type: embedsClass }),
    ...(isUneven ? { reverse_transformer_layers_per_block: depths.map(() => 1) } : {}),
  };
}
