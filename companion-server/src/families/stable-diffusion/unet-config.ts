// What unet/config.json says about the UNet of Stable Diffusion 1.x and 2.x, checked. Refuses by name what it is not.

import { evenDepths } from '../../nets/transformer-depths.ts';
import type { InjectionPoints } from '../../nets/denoising-network.ts';
import type { UNetConfig } from '../../nets/unet-blocks.ts';
import type { ConfigReader } from '../config-reader.ts';
import { injectionPoints, readInjectionPoints } from './injection-points.ts';
import { readConfig } from './read-config.ts';

/** Fields that no network here uses, with the values that mean "not used". */
const unused = {
  act_fn: ['silu'],
  attention_type: ['default'],
  center_input_sample: [false],
  class_embed_type: [null],
  num_class_embeds: [null],
  conv_in_kernel: [3],
  conv_out_kernel: [3],
  cross_attention_norm: [null],
  downsample_padding: [1],
  dual_cross_attention: [false],
  encoder_hid_dim: [null],
  mid_block_scale_factor: [1],
  only_cross_attention: [false],
  resnet_out_scale_factor: [1],
  resnet_skip_time_act: [false],
  resnet_time_scale_shift: ['default'],
  time_embedding_act_fn: [null],
  time_embedding_dim: [null],
  time_embedding_type: ['positional'],
  timestep_post_act: [null],
} satisfies Record<string, readonly unknown[]>;

/** The same for what Stable Diffusion XL has and this family has not. */
const unusedHere = {
  addition_embed_type: [null],
  mid_block_type: ['UNetMidBlock2DCrossAttn'],
  transformer_layers_per_block: [1],
} satisfies Record<string, readonly unknown[]>;

export interface StableDiffusionUNetConfig extends UNetConfig {
  /** The family's, unless the checkpoint names its own. */
  readonly injectionPoints: InjectionPoints;
}

/** Throws EditError('model-unsupported') naming the field that does not fit. @param source what errors call the file */
export function parseUNetConfig(
  json: Readonly<Record<string, unknown>>,
  source = 'unet/config.json',
): StableDiffusionUNetConfig {
  const config = readConfig(json, source);
  for (const [field, allowed] of Object.entries(unusedHere)) config.expect(field, allowed);
  const { hasAttention, ...fields } = parseUNetFields(config);
  // Every transformer of this family is one block.
  const levels = hasAttention.map((attends) => ({ hasAttention: attends, depth: 1 }));
  return {
    ...fields,
    transformerDepths: evenDepths(levels, fields.layersPerBlock),
    injectionPoints: readInjectionPoints(config, levels.length, fields.layersPerBlock) ?? injectionPoints,
  };
}

/** All of a UNet but its transformers' depths, and which levels have transformers. Throws as parseUNetConfig does. */
export function parseUNetFields(
  config: ConfigReader,
): Omit<UNetConfig, 'transformerDepths'> & { readonly hasAttention: readonly boolean[] } {
  config.expectClass(['UNet2DConditionModel']);
  for (const [field, allowed] of Object.entries(unused)) config.expect(field, allowed);
  requireTextGuidance(config);
  const latentChannels = config.integer('in_channels', 4);
  if (config.integer('out_channels', 4) !== latentChannels) {
    config.fail('out_channels', `must equal in_channels (${latentChannels})`, config.raw('out_channels'));
  }
  const blockChannels = config.integers('block_out_channels');
  const down = config.choices('down_block_types', ['CrossAttnDownBlock2D', 'DownBlock2D']);
  const up = config.choices('up_block_types', ['CrossAttnUpBlock2D', 'UpBlock2D']);
  const hasAttention = down.map((type) => type === 'CrossAttnDownBlock2D');
  const mirrored = up.map((type) => type === 'CrossAttnUpBlock2D').reverse();
  if (hasAttention.length !== blockChannels.length || mirrored.join() !== hasAttention.join()) {
    config.fail('up_block_types', 'must mirror down_block_types, one per level', up);
  }
  return {
    latentChannels,
    blockChannels,
    hasAttention,
    heads: headsPerLevel(config, blockChannels),
    layersPerBlock: config.integer('layers_per_block', 2),
    crossAttentionDim: config.integer('cross_attention_dim'),
    normGroups: config.divisor('norm_num_groups', 32, blockChannels),
    normEpsilon: config.positive('norm_eps', 1e-5),
    upcastAttention: config.boolean('upcast_attention', false),
    flipSinToCos: config.boolean('flip_sin_to_cos', true),
    frequencyShift: config.number('freq_shift', 0),
    sampleSize: sampleSizeOf(config),
  };
}

/** Whole latent consistency models are told the guidance by an input of their own. LCM-LoRAs, and what they were merged into, are not. */
function requireTextGuidance(config: ConfigReader): void {
  const width = config.raw('time_cond_proj_dim') ?? null;
  if (width === null) return;
  config.fail(
    'time_cond_proj_dim',
    'must be null: this is a latent consistency model that is told the guidance by an input (take a checkpoint with an LCM-LoRA merged into it)',
    width,
  );
}

/** Side of the latents that the checkpoint was trained on. Before diffusers 0.9 a smaller number than 64 was of no use. */
function sampleSizeOf(config: ConfigReader): number {
  const size = config.integer('sample_size', 64);
  const version = config.raw('_diffusers_version');
  const isOld = typeof version === 'string' && /^0\.[0-8]\./.test(version);
  return isOld ? Math.max(size, 64) : size;
}

/**
 * The number of heads per level. Checkpoints of this family keep it in `attention_head_dim`, despite its name,
 * unless `num_attention_heads` is set.
 */
function headsPerLevel(config: ConfigReader, blockChannels: readonly number[]): readonly number[] {
  const field = config.raw('num_attention_heads') == null ? 'attention_head_dim' : 'num_attention_heads';
  const levels = blockChannels.length;
  const heads = Array.isArray(config.raw(field))
    ? config.integers(field)
    : Array<number>(levels).fill(config.integer(field, 8));
  if (heads.length !== levels) config.fail(field, `must have ${levels} entries`, heads);
  if (heads.some((count, level) => (blockChannels[level] ?? 0) % count !== 0)) {
    config.fail(field, `must divide the channels of its level (${blockChannels.join(', ')})`, heads);
  }
  return heads;
}
