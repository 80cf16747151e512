// What unet/config.json says about the UNet of Stable Diffusion XL and of networks that were made smaller out of it (SSD-1B,
// Segmind-Vega), checked.

import { evenDepths, type TransformerDepths } from '../../nets/transformer-depths.ts';
import type { UNetConfig } from '../../nets/unet-blocks.ts';
import type { ConfigReader } from '../config-reader.ts';
import { parseUNetFields } from '../stable-diffusion/unet-config.ts';
import { readConfig } from './configs.ts';

export interface SdxlUNetConfig extends UNetConfig {
  /** Sinusoidal features of each time id. */
  readonly timeIdFeatures: number;
  /** All features that are added to the time: the pooled embedding, then those of the time ids. */
  readonly addedFeatures: number;
}

const middles = { UNetMidBlock2DCrossAttn: 2, UNetMidBlock2D: 1, none: 0 } as const;

/** Throws EditError('model-unsupported') naming the field that does not fit. @param source what errors call the file */
export function parseUNetConfig(json: Readonly<Record<string, unknown>>, source = 'unet/config.json'): SdxlUNetConfig {
  const config = readConfig(json, source);
  config.expect('addition_embed_type', ['text_time']);
  const { hasAttention, ...fields } = parseUNetFields(config);
  return {
    ...fields,
    transformerDepths: parseDepths(config, hasAttention, fields.layersPerBlock),
    sampleSize: config.integer('sample_size', 128),
    timeIdFeatures: config.integer('addition_time_embed_dim', 256),
    addedFeatures: config.integer('projection_class_embeddings_input_dim'),
  };
}

/**
 * Depths are one number for all, one per level, or one per layer. On the way up they mirror those on the way down, or are
 * given by themselves, deepest level first.
 */
function parseDepths(config: ConfigReader, hasAttention: readonly boolean[], layers: number): TransformerDepths {
  const downField = 'transformer_layers_per_block';
  const upField = 'reverse_transformer_layers_per_block';
  const given = config.raw(downField) ?? 1;
  const levels = hasAttention.map((attends, level) => {
    const depths: readonly unknown[] = Array.isArray(given) ? given : Array<unknown>(hasAttention.length).fill(given);
    if (depths.length !== hasAttention.length) {
      config.fail(downField, `must have ${hasAttention.length} entries`, given);
    }
    return { attends, depth: depths[level] };
  });
  const residualBlocks = parseMiddle(config);
  const deepest = levels.at(-1)?.depth;
  const middleDepth = layerDepths(config, downField, Array.isArray(deepest) ? deepest.slice(0, 1) : deepest, 1)[0] ?? 1;
  const middle = { residualBlocks, depth: residualBlocks === 2 ? middleDepth : 0 } as const;
  const reversed = config.raw(upField) ?? undefined;
  if (reversed === undefined) {
    const even = levels.map(({ attends, depth }) => {
      if (typeof depth !== 'number') config.fail(downField, `must be one number per level without ${upField}`, given);
      return { hasAttention: attends, depth: layerDepths(config, downField, depth, 1)[0] ?? 1 };
    });
    return { ...evenDepths(even, layers), middle };
  }
  if (!Array.isArray(reversed) || reversed.length !== levels.length) {
    config.fail(upField, `must have ${levels.length} entries`, reversed);
  }
  const deepestFirst = hasAttention.toReversed();
  return {
    down: levels.map(({ attends, depth }) => (attends ? layerDepths(config, downField, depth, layers) : none(layers))),
    middle,
    up: reversed.map((depth: unknown, i) =>
      deepestFirst[i] === true ? layerDepths(config, upField, depth, layers + 1) : none(layers + 1),
    ),
  };
}

function none(layers: number): readonly number[] {
  return Array<number>(layers).fill(0);
}

/** One depth for each of a level's layers. */
function layerDepths(config: ConfigReader, field: string, depth: unknown, layers: number): readonly number[] {
  const depths: readonly unknown[] = Array.isArray(depth) ? depth : Array<unknown>(layers).fill(depth);
  const isDepth = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0;
  if (depths.length !== layers || !depths.every(isDepth)) {
    config.fail(field, `must give ${layers} layers positive whole numbers`, depth);
  }
  return depths;
}

/** Residual blocks in the middle. A middle without any is written as null. */
function parseMiddle(config: ConfigReader): 0 | 1 | 2 {
  const type = config.raw('mid_block_type') === null ? 'none' : undefined;
  const words = Object.keys(middles) as (keyof typeof middles)[];
  return middles[type ?? config.choice('mid_block_type', words, 'UNetMidBlock2DCrossAttn')];
}
