// What vae/config.json says about the network, checked.

import { ConfigReader } from './config-reader.ts';

export interface VaeConfig {
  /** Channels per level, finest first. The image is halved between levels. */
  readonly blockChannels: readonly number[];
  readonly layersPerBlock: number;
  readonly latentChannels: number;
  readonly normGroups: number;
  /** Latents are multiplied by it before the UNet and divided before decoding. */
  readonly scalingFactor: number;
  /** Pixels per latent along each axis. */
  readonly downscale: number;
  readonly hasQuantConv: boolean;
  readonly hasPostQuantConv: boolean;
}

/** Throws EditError('model-unsupported') naming the field that does not fit. */
export function parseVaeConfig(json: Readonly<Record<string, unknown>>): VaeConfig {
  const config = new ConfigReader(json, 'vae/config.json');
  config.expect('_class_name', ['AutoencoderKL']);
  config.expect('in_channels', [3]);
  config.expect('out_channels', [3]);
  config.expect('act_fn', ['silu']);
  config.expect('shift_factor', [null, 0]);
  config.choices('down_block_types', ['DownEncoderBlock2D']);
  config.choices('up_block_types', ['UpDecoderBlock2D']);
  const blockChannels = config.integers('block_out_channels');
  return {
    blockChannels,
    layersPerBlock: config.integer('layers_per_block', 1),
    latentChannels: config.integer('latent_channels', 4),
    normGroups: config.divisor('norm_num_groups', 32, blockChannels),
    scalingFactor: config.number('scaling_factor', 0.18215),
    downscale: 2 ** (blockChannels.length - 1),
    hasQuantConv: config.boolean('use_quant_conv', true),
    hasPostQuantConv: config.boolean('use_post_quant_conv', true),
  };
}
