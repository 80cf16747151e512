// CLIPTextModel: the text encoder of Stable Diffusion 1.x (quick_gelu) and 2.x (gelu), and both of Stable Diffusion XL.
// Names are the checkpoint's keys. Architecture: CLIP, arXiv 2103.00020, section 2.4.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import { channels, gelu, layerNorm, linear, quickGelu } from './layers.ts';

export interface ClipTextConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  /** Tokens per prompt; the tokenizer pads to it. */
  readonly length: number;
  readonly activation: 'gelu' | 'quick_gelu';
  readonly epsilon: number;
  /** Rows that are fed behind the table of tokens, with the ids from `vocabSize` on. Default: none. */
  readonly extraTokens?: number;
}

/** What is read from the encoder. */
export interface ClipTextReading {
  /** `last`: the tokens behind all layers and the final norm. `penultimate`: the tokens that enter the last layer. */
  readonly hidden: 'last' | 'penultimate';
  /** Width of the projection of the whole prompt, which CLIPTextModelWithProjection has; null: not read. */
  readonly projection: number | null;
}

/** Added to the scores of later tokens: a large negative number that float16 can hold. */
const masked = -30_000;

const lastHidden: ClipTextReading = { hidden: 'last', projection: null };

/**
 * Inputs: `input_ids` int32 [prompts, L], token ids padded to the model's length L; for a projection `end_rows` int32
 * [prompts], where among all prompts' tokens each prompt's end is; with extra tokens `extra_tokens` float32 [extra tokens,
 * hidden].
 * Outputs, float32: `last_hidden_state` [prompts, L, hidden], after the final layer norm, or `penultimate_hidden_state`, which
 * no norm follows; `text_embeds` [prompts, projection], the projected end of each prompt.
 */
export function buildClipText(config: ClipTextConfig, options: GraphOptions, reading = lastHidden): Graph {
  const g = new GraphBuilder(options);
  const { hiddenSize, length, layers } = config;
  const ids = g.input('input_ids', 'int32', [symbol('prompts'), length]);
  const perPrompt = (rows: Value) => ops.reshape(g, rows, [-1, length, hiddenSize]);
  let x = embed(g, ids, config);
  for (let layer = 0; layer < layers; layer++) {
    if (reading.hidden === 'penultimate' && layer === layers - 1) g.output('penultimate_hidden_state', perPrompt(x));
    x = encoderLayer(g, x, `text_model.encoder.layers.${layer}`, config);
  }
  const normed = (rows: Value) => layerNorm(g, rows, 'text_model.final_layer_norm', config.epsilon);
  if (reading.hidden === 'last') g.output('last_hidden_state', perPrompt(normed(x)));
  if (reading.projection !== null) {
    const ends = ops.gather(g, x, g.input('end_rows', 'int32', [symbol('prompts')]), 0);
    g.output('text_embeds', projected(g, normed(ends), reading.projection));
  }
  return g.finish();
}

/** rows [N, C] -> [N, P]. OpenCLIP stores the matrix as [C, P], transformers as [P, C]. */
function projected(g: GraphBuilder, rows: Value, width: number): Value {
  const key = 'text_projection';
  if (!g.hasWeight(key)) return linear(g, rows, key, width, { hasBias: false });
  return g.scope(key, () => ops.matMul(g, rows, g.weight(key, [channels(rows), width])));
}

/** rows [N*L, C] -> rows [N*L, C] */
function encoderLayer(g: GraphBuilder, x: Value, key: string, config: ClipTextConfig): Value {
  const { hiddenSize, length, heads } = config;
  const attended = causalSelfAttention(g, layerNorm(g, x, `${key}.layer_norm1`, config.epsilon), `${key}.self_attn`, {
    hiddenSize,
    length,
    heads,
  });
  const mixed = ops.add(g, x, attended);
  return ops.add(g, mixed, mlp(g, layerNorm(g, mixed, `${key}.layer_norm2`, config.epsilon), `${key}.mlp`, config));
}

/** ids [N, L] -> rows [N*L, C] */
function embed(g: GraphBuilder, ids: Value, config: ClipTextConfig): Value {
  const { vocabSize, hiddenSize, length, maxPositions, extraTokens = 0 } = config;
  const key = 'text_model.embeddings';
  return g.scope(key, () => {
    const words = g.weight(`${key}.token_embedding.weight`, [vocabSize, hiddenSize]);
    const positions = g.weight(`${key}.position_embedding.weight`, [maxPositions, hiddenSize]);
    const table = extraTokens === 0 ? words : ops.concat(g, [words, extra(g, extraTokens, hiddenSize)], 0);
    const tokens = ops.gather(g, table, ids, 0);
    const placed = ops.add(g, tokens, ops.slice(g, positions, 0, 0, length));
    return ops.reshape(g, placed, [-1, hiddenSize]);
  });
}

/** [count, C] */
function extra(g: GraphBuilder, count: number, hiddenSize: number): Value {
  return ops.cast(g, g.input('extra_tokens', 'float32', [count, hiddenSize]), g.float);
}

/** rows [N*L, C] -> rows [N*L, C]; a token sees itself and the tokens before it. */
function causalSelfAttention(
  g: GraphBuilder,
  rows: Value,
  key: string,
  { hiddenSize, length, heads }: { hiddenSize: number; length: number; heads: number },
): Value {
  return g.scope(key, () => {
    const depth = hiddenSize / heads;
    const perHead = (name: string) =>
      ops.transpose(
        g,
        ops.reshape(g, linear(g, rows, `${key}.${name}`, hiddenSize), [-1, length, heads, depth]),
        [0, 2, 1, 3],
      );
    const query = ops.mul(g, perHead('q_proj'), ops.scalar(g, 1 / Math.sqrt(depth)));
    const scores = ops.matMul(g, query, ops.transpose(g, perHead('k_proj'), [0, 1, 3, 2]));
    const mask = Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? masked : 0));
    const maskValue = ops.cast(g, g.constant('float32', mask, [length, length]), g.float);
    const weights = ops.softmax(g, ops.add(g, scores, maskValue));
    const mixed = ops.transpose(g, ops.matMul(g, weights, perHead('v_proj')), [0, 2, 1, 3]);
    return linear(g, ops.reshape(g, mixed, [-1, hiddenSize]), `${key}.out_proj`, hiddenSize);
  });
}

function mlp(g: GraphBuilder, rows: Value, key: string, config: ClipTextConfig): Value {
  const hidden = linear(g, rows, `${key}.fc1`, config.intermediateSize);
  const active = config.activation === 'gelu' ? gelu(g, hidden) : quickGelu(g, hidden);
  return linear(g, active, `${key}.fc2`, config.hiddenSize);
}
