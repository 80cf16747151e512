// The layers that UNet, VAE and text encoder share. `key` is always the checkpoint key of the layer.
// Images are [N, C, H, W]; tokens are a matrix [N*S, C] with the batch folded into the rows.

import type { GraphBuilder, Part } from '../onnx/builder.ts';
import type { Value } from '../onnx/graph.ts';
import * as ops from '../onnx/ops.ts';

/** The number of channels of an image, or of columns of a token matrix. */
export function channels(x: Value): number {
  const dim = x.dims[1];
  if (typeof dim !== 'number') throw new TypeError(`${x.name} has no fixed number of channels.`);
  return dim;
}

/** Height and width of an image [N, C, H, W]. */
export function spatial(x: Value): { height: number; width: number } {
  const [, , height, width] = x.dims;
  if (typeof height !== 'number' || typeof width !== 'number') {
    throw new TypeError(`${x.name} has no fixed height and width.`);
  }
  return { height, width };
}

export interface LinearOptions {
  readonly hasBias?: boolean;
  /** Only these of the output channels. */
  readonly part?: Part;
}

/**
 * x [M, K] -> [M, N], or fewer columns where a part is wanted. A 1x1 convolution's weight [N, K, 1, 1] is accepted as a
 * matrix.
 */
export function linear(
  g: GraphBuilder,
  x: Value,
  key: string,
  outChannels: number,
  { hasBias = true, part }: LinearOptions = {},
): Value {
  return g.scope(key, () => {
    const weightOf = (name: string, dims: readonly number[]) =>
      part === undefined ? g.weight(name, dims) : g.weightPart(name, dims, part);
    const weight = weightOf(`${key}.weight`, [outChannels, channels(x)]);
    const bias = hasBias ? weightOf(`${key}.bias`, [outChannels]) : null;
    if (g.fused.gemm) return ops.gemm(g, x, weight, bias);
    const product = ops.matMul(g, x, ops.transpose(g, weight, [1, 0]));
    return bias === null ? product : ops.add(g, product, bias);
  });
}

interface ConvLayerOptions {
  readonly kernel?: 1 | 3;
  readonly hasBias?: boolean;
}

/** 3x3 (or 1x1) convolution of x [N, C, H, W] with stride 1 and equal size. */
export function conv2d(
  g: GraphBuilder,
  x: Value,
  key: string,
  outChannels: number,
  { kernel = 3, hasBias = true, ...options }: ops.ConvOptions & ConvLayerOptions = {},
): Value {
  return g.scope(key, () =>
    ops.conv(
      g,
      x,
      g.weight(`${key}.weight`, [outChannels, channels(x), kernel, kernel]),
      hasBias ? g.weight(`${key}.bias`, [outChannels]) : null,
      kernel === 1 ? { pads: [0, 0, 0, 0], ...options } : options,
    ),
  );
}

/** Group normalisation of x [N, C, H, W] (Wu and He, arXiv 1803.08494). */
export function groupNorm(
  g: GraphBuilder,
  x: Value,
  key: string,
  { groups, epsilon }: { readonly groups: number; readonly epsilon: number },
): Value {
  return g.scope(key, () => {
    const count = channels(x);
    const { height, width } = spatial(x);
    const perGroup = ops.reshape(g, x, [-1, groups, (count / groups) * height * width]);
    const normalised = normalise(g, perGroup, groups, epsilon);
    const image = ops.reshape(g, normalised, [-1, count, height, width]);
    const scaled = ops.mul(g, image, g.weight(`${key}.weight`, [count, 1, 1]));
    return ops.add(g, scaled, g.weight(`${key}.bias`, [count, 1, 1]));
  });
}

/** x [N, groups, M] with mean 0 and variance 1 over the last axis. */
export function normalise(g: GraphBuilder, x: Value, groups: number, epsilon: number): Value {
  if (!g.fused.instanceNormalization) {
    // Squares leave the range of half precision.
    const wide = ops.cast(g, x, 'float32');
    const centred = ops.sub(g, wide, ops.reduceMean(g, wide));
    const variance = ops.reduceMean(g, ops.mul(g, centred, centred));
    const deviation = ops.sqrt(g, ops.add(g, variance, g.constant('float32', [epsilon], [])));
    return ops.cast(g, ops.div(g, centred, deviation), g.float);
  }
  const constant = (value: number) =>
    ops.cast(g, g.constant('float32', Array<number>(groups).fill(value), [groups]), g.float);
  return ops.instanceNormalization(g, x, constant(1), constant(0), epsilon);
}

/** Layer normalisation of token rows [M, C]. */
export function layerNorm(g: GraphBuilder, x: Value, key: string, epsilon = 1e-5): Value {
  return g.scope(key, () =>
    ops.layerNormalization(
      g,
      x,
      g.weight(`${key}.weight`, [channels(x)]),
      g.weight(`${key}.bias`, [channels(x)]),
      epsilon,
    ),
  );
}

/** x * sigmoid(x) */
export function silu(g: GraphBuilder, x: Value): Value {
  return ops.mul(g, x, ops.sigmoid(g, x));
}

/** The exact GELU, x/2 * (1 + erf(x / sqrt 2)) */
export function gelu(g: GraphBuilder, x: Value): Value {
  if (g.fused.gelu) return ops.fusedGelu(g, x);
  const erf = ops.erf(g, ops.mul(g, x, ops.scalar(g, Math.SQRT1_2)));
  const cdf = ops.mul(g, ops.add(g, erf, ops.scalar(g, 1)), ops.scalar(g, 0.5));
  return ops.mul(g, x, cdf);
}

/** OpenAI CLIP's approximation, x * sigmoid(1.702 x) */
export function quickGelu(g: GraphBuilder, x: Value): Value {
  return ops.mul(g, x, ops.sigmoid(g, ops.mul(g, x, ops.scalar(g, 1.702))));
}

/** Image [N, C, H, W] -> token rows [N*H*W, C] */
export function toTokens(g: GraphBuilder, image: Value): Value {
  const count = channels(image);
  const { height, width } = spatial(image);
  const flat = ops.reshape(g, image, [-1, count, height * width]);
  return ops.reshape(g, ops.transpose(g, flat, [0, 2, 1]), [-1, count]);
}

/** Token rows [N*H*W, C] -> image [N, C, H, W] */
export function toImage(g: GraphBuilder, tokens: Value, height: number, width: number): Value {
  const count = channels(tokens);
  const batched = ops.reshape(g, tokens, [-1, height * width, count]);
  return ops.reshape(g, ops.transpose(g, batched, [0, 2, 1]), [-1, count, height, width]);
}
