// What a text encoder's config.json says about the network, checked.

import type { ClipTextConfig } from '../../nets/clip-text-encoder.ts';
import type { ConfigReader } from '../config-reader.ts';
import { readConfig } from './read-config.ts';

/** Throws EditError('model-unsupported') naming the field that does not fit. */
export function parseClipTextConfig(json: Readonly<Record<string, unknown>>): ClipTextConfig {
  return parseClipTextFields(readConfig(json, 'text_encoder/config.json'));
}

/** The same of a config that is read already. */
export function parseClipTextFields(config: ConfigReader): ClipTextConfig {
  const hiddenSize = config.integer('hidden_size');
  const heads = config.integer('num_attention_heads');
  if (hiddenSize % heads !== 0) config.fail('num_attention_heads', `must divide ${hiddenSize}`, heads);
  const maxPositions = config.integer('max_position_embeddings', 77);
  return {
    hiddenSize,
    heads,
    intermediateSize: config.integer('intermediate_size'),
    layers: config.integer('num_hidden_layers'),
    vocabSize: config.integer('vocab_size', 49408),
    maxPositions,
    length: maxPositions,
    activation: config.choice('hidden_act', ['gelu', 'quick_gelu'], 'quick_gelu'),
    epsilon: config.positive('layer_norm_eps', 1e-5),
  };
}
