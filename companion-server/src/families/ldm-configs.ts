// The config.json files that a diffusers folder would have, from the shapes of a checkpoint in one file. The names are
// diffusers' (weights/ldm/ has given them). What shapes do not tell is what all checkpoints of these kinds have in common.

import type { JsonObject } from '../weights/json-file.ts';
import type { FileShapes } from './refused-files.ts';

/** Heads of Stable Diffusion 1.x at every level. */
const fixedHeads = 8;
/** Channels per head of Stable Diffusion 2.x and XL, and of all CLIP text encoders. */
const headWidth = 64;

/** The numbers that follow `prefix` in keys, in order and without gaps from 0. */
export function countOf(tensors: FileShapes, prefix: string): number {
  let count = 0;
  while ([...tensors.keys()].some((key) => key.startsWith(`${prefix}${count}.`))) count++;
  return count;
}

function dimOf(tensors: FileShapes, key: string, axis: number): number | undefined {
  return tensors.get(key)?.dims[axis];
}

/**
 * unet/config.json, without what is only said by a family: sample_size, upcast_attention, addition_embed_type, and the
 * depth of transformers. Fields whose tensors are missing are left out, so that they are named by who reads the config.
 */
export function unetConfigOf(tensors: FileShapes): JsonObject {
  const levels = countOf(tensors, 'down_blocks.');
  const channels = Array.from({ length: levels }, (_, level) =>
    dimOf(tensors, `down_blocks.${level}.resnets.0.conv1.weight`, 0),
  ).map((width) => width ?? 0);
  const attends = channels.map((_, level) => hasPrefix(tensors, `down_blocks.${level}.attentions.`));
  const keys = [...tensors.keys()];
  const projection = keys.find((key) => /\.attentions\.\d+\.proj_in\.weight$/.test(key));
  const context = keys.find((key) => key.endsWith('.transformer_blocks.0.attn2.to_k.weight'));
  const isLinear = projection !== undefined && tensors.get(projection)?.dims.length === 2;
  return {
    _class_name: 'UNet2DConditionModel',
    in_channels: dimOf(tensors, 'conv_in.weight', 1),
    out_channels: dimOf(tensors, 'conv_out.weight', 0),
    block_out_channels: channels,
    down_block_types: attends.map((attentive) => (attentive ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: attends.map((attentive) => (attentive ? 'CrossAttnUpBlock2D' : 'UpBlock2D')).reverse(),
    layers_per_block: countOf(tensors, 'down_blocks.0.resnets.'),
    attention_head_dim: isLinear ? channels.map(headsOfWidth) : fixedHeads,
    cross_attention_dim: context === undefined ? undefined : dimOf(tensors, context, 1),
    use_linear_projection: isLinear,
    norm_num_groups: 32,
  };
}

/** vae/config.json. @param scalingFactor of the family's latents */
export function vaeConfigOf(tensors: FileShapes, scalingFactor: number): JsonObject {
  const levels = countOf(tensors, 'encoder.down_blocks.');
  const channels = Array.from({ length: levels }, (_, level) =>
    dimOf(tensors, `encoder.down_blocks.${level}.resnets.0.conv1.weight`, 0),
  );
  return {
    _class_name: 'AutoencoderKL',
    block_out_channels: channels.map((width) => width ?? 0),
    down_block_types: channels.map(() => 'DownEncoderBlock2D'),
    up_block_types: channels.map(() => 'UpDecoderBlock2D'),
    layers_per_block: countOf(tensors, 'encoder.down_blocks.0.resnets.'),
    latent_channels: dimOf(tensors, 'decoder.conv_in.weight', 1),
    norm_num_groups: 32,
    scaling_factor: scalingFactor,
    use_quant_conv: tensors.has('quant_conv.weight'),
    use_post_quant_conv: tensors.has('post_quant_conv.weight'),
  };
}

/**
 * text_encoder/config.json of a CLIP text encoder.
 * @param activation `quick_gelu` in OpenAI's CLIP, `gelu` in OpenCLIP
 * @param layers how many are used; all that there are by default
 */
export function clipTextConfigOf(
  tensors: FileShapes,
  activation: 'quick_gelu' | 'gelu',
  layers = countOf(tensors, 'text_model.encoder.layers.'),
): JsonObject {
  const width = dimOf(tensors, 'text_model.embeddings.token_embedding.weight', 1);
  return {
    architectures: ['CLIPTextModel'],
    vocab_size: dimOf(tensors, 'text_model.embeddings.token_embedding.weight', 0),
    hidden_size: width,
    intermediate_size: dimOf(tensors, 'text_model.encoder.layers.0.mlp.fc1.weight', 0),
    num_hidden_layers: layers,
    num_attention_heads: width === undefined ? undefined : headsOfWidth(width),
    max_position_embeddings: dimOf(tensors, 'text_model.embeddings.position_embedding.weight', 0),
    hidden_act: activation,
  };
}

/** The schedule that Stable Diffusion 1.x, 2.x and XL were trained with, as diffusers writes it. */
const ldmSchedulerConfig: JsonObject = {
  _class_name: 'DDIMScheduler',
  num_train_timesteps: 1000,
  beta_schedule: 'scaled_linear',
  beta_start: 0.00085,
  beta_end: 0.012,
  set_alpha_to_one: false,
  steps_offset: 1,
};

/** scheduler_config.json as a folder would have it. */
export function scheduleOf({
  isVelocity,
  hasZeroSnr,
}: {
  readonly isVelocity: boolean;
  readonly hasZeroSnr: boolean;
}): JsonObject {
  return {
    ...ldmSchedulerConfig,
    prediction_type: isVelocity ? 'v_prediction' : 'epsilon',
    ...(hasZeroSnr ? { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' } : {}),
  };
}

function headsOfWidth(width: number): number {
  return Math.max(1, Math.floor(width / headWidth));
}

function hasPrefix(tensors: FileShapes, prefix: string): boolean {
  return [...tensors.keys()].some((key) => key.startsWith(prefix));
}
