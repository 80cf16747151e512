// TAESD's decoder (github.com/madebyollin/taesd): latents -> pixels by a chain of small convolutions, for pictures that are
// looked at and not kept. Its layers are numbered, so that the names of its weights tell how it is built.

import { GraphBuilder, type GraphOptions } from '../onnx/builder.ts';
import { symbol } from '../onnx/dims.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';
import type { TensorInfo } from '../tensor/stored-tensor.ts';
import type { LatentSize } from './denoising-network.ts';
import { channels as channelsOf, conv2d } from './layers.ts';

/** Latents are bent into -3..3 first. */
const magnitude = 3;

/** A layer with weights. Names of weights begin with `key`. */
type Layer =
  /** Residual: three convolutions, added to its input. */
  | { readonly kind: 'block'; readonly key: string }
  /** Between levels the picture is doubled before the convolution, which has no bias. */
  | { readonly kind: 'convolution'; readonly key: string; readonly channels: number; readonly doubles: boolean };

export interface TinyDecoderLayout {
  /** The beginning of the names of its weights. */
  readonly prefix: string;
  readonly latentChannels: number;
  /** Pixels per latent along each axis. */
  readonly downscale: number;
  readonly layers: readonly Layer[];
}

/** Beginnings of the keys: diffusers' AutoencoderTiny, the decoder's own file of the original code, and both halves in one. */
const prefixes = ['decoder.layers.', 'taesd_decoder.', ''] as const;

/**
 * How the decoder is built whose weights are among `tensors`; null where there is none. The encoder's are ignored.
 * @param tensors by key
 */
export function tinyDecoderLayout(tensors: ReadonlyMap<string, Pick<TensorInfo, 'dims'>>): TinyDecoderLayout | null {
  for (const prefix of prefixes) {
    const layers = layersBehind(prefix, tensors);
    const [first, last] = [layers[0], layers.at(-1)];
    if (first?.kind !== 'convolution' || last?.kind !== 'convolution' || last.channels !== 3) continue;
    const latentChannels = tensors.get(`${first.key}.weight`)?.dims[1] ?? 0;
    // An encoder in the names of the original code is numbered in the same way, and begins with pixels.
    if (latentChannels === 3) continue;
    const levels = layers.filter((layer) => layer.kind === 'convolution' && layer.doubles).length;
    return { prefix, latentChannels, downscale: 2 ** levels, layers };
  }
  return null;
}

function layersBehind(prefix: string, tensors: ReadonlyMap<string, Pick<TensorInfo, 'dims'>>): readonly Layer[] {
  const layers = new Map<number, Layer>();
  for (const [name, { dims }] of tensors) {
    const [, number, inBlock] = /^(\d+)\.(?:(conv)\.\d+\.)?weight$/.exec(name.slice(prefix.length)) ?? [];
    if (number === undefined || !name.startsWith(prefix)) continue;
    const key = `${prefix}${number}`;
    const doubles = !tensors.has(`${key}.bias`);
    layers.set(
      Number(number),
      inBlock === undefined ? { kind: 'convolution', key, channels: dims[0] ?? 0, doubles } : { kind: 'block', key },
    );
  }
  return [...layers].sort(([a], [b]) => a - b).map(([, layer]) => layer);
}

/**
 * Inputs: `latents` float32 [frames, C, h, w] as the UNet has them, scaled.
 * Outputs: `image` float32 [frames, 3, h*downscale, w*downscale], about -1..1, not clamped.
 * Throws ShapeError for weights that are missing or of other shapes.
 */
export function buildTinyDecoder(layout: TinyDecoderLayout, size: LatentSize, options: GraphOptions): Graph {
  const g = new GraphBuilder(options);
  const { latentChannels, layers } = layout;
  const latents = g.input('latents', 'float32', [symbol('frames'), latentChannels, size.height, size.width]);
  const limit = ops.scalar(g, magnitude);
  let x = ops.mul(g, ops.tanh(g, ops.div(g, ops.cast(g, latents, g.float), limit)), limit);
  for (const [i, layer] of layers.entries()) {
    x = layer.kind === 'block' ? residual(g, x, layer.key) : convolution(g, x, layer);
    if (i === 0) x = ops.relu(g, x);
  }
  g.output('image', ops.sub(g, ops.mul(g, x, ops.scalar(g, 2)), ops.scalar(g, 1)));
  return g.finish();
}

function convolution(g: GraphBuilder, x: Value, layer: Extract<Layer, { kind: 'convolution' }>): Value {
  const { key, channels, doubles } = layer;
  return conv2d(g, doubles ? ops.resizeNearest2x(g, x) : x, key, channels, { hasBias: !doubles });
}

function residual(g: GraphBuilder, x: Value, key: string): Value {
  const width = channelsOf(x);
  const first = ops.relu(g, conv2d(g, x, `${key}.conv.0`, width));
  const second = ops.relu(g, conv2d(g, first, `${key}.conv.2`, width));
  return ops.relu(g, ops.add(g, conv2d(g, second, `${key}.conv.4`, width), x));
}
