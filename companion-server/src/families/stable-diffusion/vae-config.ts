// What vae/config.json says about the network, checked.

import type { VaeConfig } from '../../nets/vae.ts';
import type { ConfigReader } from '../config-reader.ts';
import { readConfig } from './read-config.ts';

/** Throws EditError('model-unsupported') naming the field that does not fit. */
export function parseVaeConfig(json: Readonly<Record<string, unknown>>): VaeConfig {
  return parseVaeFields(readConfig(json, 'vae/config.json'));
}

/** The same of a config that is read already. */
export function parseVaeFields(config: ConfigReader): VaeConfig {
  config.expectClass(['AutoencoderKL']);
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
    scalingFactor: config.positive('scaling_factor', 0.18215),
    downscale: 2 ** (blockChannels.length - 1),
    hasQuantConv: config.boolean('use_quant_conv', true),
    hasPostQuantConv: config.boolean('use_post_quant_conv', true),
  };
}
