// A model family that exists only here: a small network with names of its own, two text encoders, a pooled embedding and
// numbers about the picture, and latents that are shifted. It is made of random weights; its pictures mean nothing.

import path from 'node:path';
import { timestepEmbedding } from '../../companion-server/src/diffusion/timestep-embedding.ts';
import { parseSchedulerConfig } from '../../companion-server/src/diffusion/scheduler-config.ts';
import type {
  Autoencoder,
  ModelFamily,
  ModelOutline,
  RunText,
  TextNetwork,
} from '../../companion-server/src/families/family.ts';
import { attention, project } from '../../companion-server/src/nets/attention.ts';
import type { Conditioning } from '../../companion-server/src/nets/conditioning.ts';
import type {
  BuiltNetwork,
  DenoisingNetwork,
  InjectionPoints,
  LatentSize,
  PassHooks,
} from '../../companion-server/src/nets/denoising-network.ts';
import { conv2d, layerNorm, linear, silu, spatial, toImage, toTokens } from '../../companion-server/src/nets/layers.ts';
import { passHooks } from '../../companion-server/src/nets/pass-hooks.ts';
import { plainPass } from '../../companion-server/src/nets/pass.ts';
import { GraphBuilder } from '../../companion-server/src/onnx/builder.ts';
import { symbol } from '../../companion-server/src/onnx/dims.ts';
import type { Value } from '../../companion-server/src/onnx/graph.ts';
import * as ops from '../../companion-server/src/onnx/ops.ts';
import { createRandom } from '../../companion-server/src/tensor/random.ts';
import { concatRows, sizeOf, sliceRows, tensor, type Tensor } from '../../companion-server/src/tensor/tensor.ts';
import { partOf, type CheckpointLayout } from '../../companion-server/src/weights/checkpoint.ts';
import { writeSafetensors } from '../../companion-server/src/weights/safetensors-write.ts';
import { writeJson } from '../fixtures/tiny-checkpoint.ts';
import { WeightRecorder } from '../weight-recorder.ts';

const latentChannels = 4;
const width = 16;
const depth = 2;
const heads = 2;
const words = 64;
const promptLength = 6;
/** Widths of the two encoders' tokens, which lie side by side, and of the pooled embedding. */
const ears = { left: 5, right: 7 } as const;
const textWidth = ears.left + ears.right;
const pooledWidth = ears.right;
const timeWidth = 8;

const parts = {
  painter: { folder: 'painter', stem: 'strokes' },
  lens: { folder: 'lens', stem: 'strokes' },
  left: { folder: 'left-ear', stem: 'strokes' },
  right: { folder: 'right-ear', stem: 'strokes' },
} as const;

const layout: CheckpointLayout = { parts: Object.values(parts), tokenizers: [] };

const points: InjectionPoints = { features: 'sketch', attention: /^layers\.1\.own$/ };

export interface ToyOptions {
  /** What becomes of the conditioning before the network sees it; nothing when left out. */
  readonly change?: (conditioning: Conditioning) => Conditioning;
  /** Where Plug-and-Play reaches into the network, when not where this family says. */
  readonly injectionPoints?: InjectionPoints;
}

export function toyFamily({ change = (told) => told, injectionPoints = points }: ToyOptions = {}): ModelFamily {
  return {
    title: 'Painter',
    layout,
    async recognises(checkpoint) {
      const [config, tensors] = [await checkpoint.readConfig('painter'), await checkpoint.readTensors(parts.painter)];
      return config?.['kind'] === 'strokes' && tensors?.get('intake.weight')?.dims[0] === width;
    },
    outline(checkpoint): ModelOutline {
      const { left, right } = parts;
      const weightsOf = (folder: string) => partOf(checkpoint, folder).weights;
      return {
        unet: painter(injectionPoints),
        vae: lens,
        weights: {
          unet: weightsOf('painter'),
          vae: weightsOf('lens'),
          text: [weightsOf(left.folder), weightsOf(right.folder)],
        },
        scheduler: parseSchedulerConfig(checkpoint.schedulerConfig),
        sizeMultiple: 8,
        trainingSide: 64,
        promptTokens: promptLength,
        defaults: { guidance: 2, steps: 3 },
        createConditioner: () => ({
          overflowOf: () => null,
          placesOf: () => [],
          async conditioning(prompts, size, run) {
            const first = await heard(run, ear('left', weightsOf(left.folder), prompts));
            const second = await heard(run, ear('right', weightsOf(right.folder), prompts));
            return prompts.map((_, i) => {
              const row = (x: Tensor): Tensor => sliceRows(x, i, i + 1);
              return change({
                tokens: sideBySide(row(first.tokens), row(second.tokens)),
                pooled: row(second.pooled),
                timeIds: tensor([1, 2], Float32Array.of(size.width / 64, size.height / 64)),
              });
            });
          },
        }),
      };
    },
  };
}

// ---- the denoising network

function painter(injectionPoints: InjectionPoints): DenoisingNetwork {
  return {
    latentChannels,
    injectionPoints,
    form: 'painter',
    finestLevel: { channels: width, heads },
    tokensPerBlock: ({ height, width: columns }) => Array<number>(depth).fill(height * columns),
    tokenValues: ({ height, width: columns }) => depth * height * columns * width,
    build: (g, latents, hooks) => new Painter(g, hooks).build(latents),
    feeds: (timestep, conditioning) => ({
      clock: tensor([1, timeWidth], timestepEmbedding(timestep, { dim: timeWidth, flipSinToCos: true, freqShift: 0 })),
      speech: concatRows(conditioning.map(({ tokens }) => tokens)),
      gist: concatRows(conditioning.map(({ pooled }) => given(pooled))),
      frame: concatRows(conditioning.map(({ timeIds }) => given(timeIds))),
    }),
  };
}

/** intake, sketch (a residual block), layers of own attention and of attention to the prompt, outlet. */
class Painter {
  private readonly g: GraphBuilder;
  private readonly hooks: PassHooks;
  private branches: number;
  /** [branches, promptLength, textWidth] */
  private speech: Value;

  constructor(g: GraphBuilder, hooks: PassHooks) {
    this.g = g;
    this.hooks = hooks;
    this.branches = hooks.branches;
    this.speech = this.input('speech', [promptLength, textWidth]);
  }

  build(latents: Value): BuiltNetwork {
    const { g } = this;
    const { height, width: columns } = spatial(latents);
    const mood = this.mood();
    let image = this.sketch(conv2d(g, latents, 'intake', width), mood);
    if (this.hooks.leavesSourceAfter === 'sketch') {
      image = this.withoutSource(image);
      this.speech = this.withoutSource(this.speech);
      this.branches--;
    }
    let rows = toTokens(g, image);
    for (let index = 0; index < depth; index++) rows = this.layer(rows, index, height * columns);
    const prediction = conv2d(g, silu(g, toImage(g, rows, height, columns)), 'outlet', latentChannels);
    return { prediction, branches: this.branches };
  }

  private input(name: string, dims: readonly number[], rows = this.hooks.branches): Value {
    return ops.cast(this.g, this.g.input(name, 'float32', [rows, ...dims]), this.g.float);
  }

  /** [branches, width]: of the time, the pooled embedding and the size of the picture. */
  private mood(): Value {
    const { g } = this;
    const clock = linear(g, this.input('clock', [timeWidth], 1), 'mood.clock', width);
    const gist = linear(g, this.input('gist', [pooledWidth]), 'mood.gist', width);
    const frame = linear(g, this.input('frame', [2]), 'mood.frame', width);
    return silu(g, ops.add(g, clock, ops.add(g, gist, frame)));
  }

  private sketch(image: Value, mood: Value): Value {
    const { g, branches } = this;
    const { height, width: columns } = spatial(image);
    const first = conv2d(g, silu(g, image), 'sketch.one', width);
    const perBranch = ops.reshape(g, first, [branches, -1, width, height * columns]);
    const moody = ops.add(g, perBranch, ops.reshape(g, mood, [branches, 1, width, 1]));
    const entering = silu(g, ops.reshape(g, moody, [-1, width, height, columns]));
    if (!this.hooks.sharesConvolution('sketch')) return ops.add(g, image, conv2d(g, entering, 'sketch.two', width));
    const [source] = ops.split(g, entering, 0, branches);
    const shared = conv2d(g, given(source), 'sketch.two', width);
    return ops.add(g, image, ops.concat(g, Array<Value>(branches).fill(shared), 0));
  }

  private withoutSource(x: Value): Value {
    return ops.concat(this.g, ops.split(this.g, x, 0, this.branches).slice(1), 0);
  }

  private layer(rows: Value, index: number, length: number): Value {
    const { g, branches } = this;
    const key = `layers.${index}`;
    const own = this.hooks.selfAttention(g, layerNorm(g, rows, `${key}.calm`), {
      key: `${key}.own`,
      projections: { query: `${key}.ask`, key: `${key}.match`, value: `${key}.give`, out: `${key}.merge` },
      index,
      heads,
      upcast: false,
      length,
      channels: width,
      branches,
    });
    const mixed = ops.add(g, rows, own);
    const perBranch = (x: Value) => ops.reshape(g, x, [branches, -1, width]);
    const spoken = ops.reshape(g, this.speech, [-1, textWidth]);
    const listened = attention(
      g,
      perBranch(project(g, mixed, `${key}.wonder`, width)),
      perBranch(project(g, spoken, `${key}.hear`, width)),
      perBranch(project(g, spoken, `${key}.learn`, width)),
      { heads, queries: 1, keys: 1 },
    );
    const leaving = ops.add(g, mixed, ops.reshape(g, listened, [-1, width]));
    this.hooks.observe?.(g, key, rows, leaving);
    return leaving;
  }
}

// ---- pictures and latents

const format = { channels: latentChannels, downscale: 4, scale: 0.5, shift: 0.1 } as const;

const lens: Autoencoder = {
  latents: format,
  precision: 'device',
  buildEncoder(size, options) {
    const g = new GraphBuilder(options);
    recordEncoder(g, size);
    return g.finish();
  },
  buildDecoder(size, options) {
    const g = new GraphBuilder(options);
    recordDecoder(g, size);
    return g.finish();
  },
};

function recordEncoder(g: GraphBuilder, { height, width: columns }: LatentSize): void {
  const { downscale } = format;
  const image = g.input('image', 'float32', [symbol('frames'), 3, height * downscale, columns * downscale]);
  const half = silu(g, conv2d(g, ops.cast(g, image, g.float), 'near', 8, { stride: 2 }));
  g.output('mean', conv2d(g, half, 'far', latentChannels, { stride: 2 }));
}

function recordDecoder(g: GraphBuilder, { height, width: columns }: LatentSize): void {
  const latents = g.input('latents', 'float32', [symbol('frames'), latentChannels, height, columns]);
  const far = silu(g, conv2d(g, ops.cast(g, latents, g.float), 'back.far', 8));
  const near = silu(g, conv2d(g, ops.resizeNearest2x(g, far), 'back.near', 8));
  g.output('image', conv2d(g, ops.resizeNearest2x(g, near), 'back.out', 3));
}

// ---- prompts

function ear(name: keyof typeof ears, weights: TextNetwork['weights'], prompts: readonly string[]): TextNetwork {
  return {
    name: `${name} ear`,
    weights,
    build(options) {
      const g = new GraphBuilder(options);
      recordEar(g, ears[name]);
      return g.finish();
    },
    feeds: { ids: { dims: [prompts.length, promptLength], data: Int32Array.from(prompts.flatMap(idsOf)) } },
  };
}

function recordEar(g: GraphBuilder, count: number): void {
  const ids = g.input('ids', 'int32', [symbol('prompts'), promptLength]);
  const rows = ops.reshape(g, ops.gather(g, g.weight('words', [words, count]), ids, 0), [-1, count]);
  const tokens = ops.reshape(g, linear(g, rows, 'say', count), [-1, promptLength, count]);
  g.output('tokens', tokens);
  g.output('pooled', ops.reshape(g, ops.reduceMean(g, ops.transpose(g, tokens, [0, 2, 1])), [-1, count]));
}

async function heard(
  run: RunText,
  network: TextNetwork,
): Promise<{ readonly tokens: Tensor; readonly pooled: Tensor }> {
  const { tokens, pooled } = await run(network);
  return { tokens: given(tokens), pooled: given(pooled) };
}

/** The first words by a hash of their letters; 0 where there are no more. */
function idsOf(prompt: string): readonly number[] {
  const ids = prompt
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => 1 + (Buffer.from(word).reduce((hash, byte) => (31 * hash + byte) % 65_521, 7) % (words - 1)));
  return Array.from({ length: promptLength }, (_, i) => ids[i] ?? 0);
}

/** [1, L, A] and [1, L, B] -> [1, L, A + B] */
function sideBySide(a: Tensor, b: Tensor): Tensor {
  const [, length = 0, left = 0] = a.dims;
  const right = b.dims[2] ?? 0;
  const joined = tensor([1, length, left + right]);
  for (let token = 0; token < length; token++) {
    joined.data.set(a.data.subarray(token * left, (token + 1) * left), token * (left + right));
    joined.data.set(b.data.subarray(token * right, (token + 1) * right), token * (left + right) + left);
  }
  return joined;
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('Something of the toy is missing.');
  return value;
}

// ---- a checkpoint

/** Writes a checkpoint of the family into the folder `dir`, which is made, and returns `dir`. */
export async function makeToyCheckpoint(dir: string): Promise<string> {
  const size = { height: 4, width: 4 };
  const networks: readonly (readonly [string, (g: GraphBuilder) => void])[] = [
    [
      'painter',
      (g) => {
        const latents = g.input('latents', 'float32', [symbol('frames'), latentChannels, size.height, size.width]);
        painter(points).build(g, latents, passHooks(plainPass, g, points));
      },
    ],
    [
      'lens',
      (g) => {
        recordEncoder(g, size);
        recordDecoder(g, size);
      },
    ],
    ['left-ear', (g) => recordEar(g, ears.left)],
    ['right-ear', (g) => recordEar(g, ears.right)],
  ];
  await writeJson(dir, 'model_index.json', { _class_name: 'PainterPipeline' });
  await writeJson(path.join(dir, 'scheduler'), 'scheduler_config.json', { prediction_type: 'epsilon' });
  for (const [stream, [folder, record]] of networks.entries()) {
    await writeJson(path.join(dir, folder), 'config.json', { kind: 'strokes' });
    const recorder = new WeightRecorder();
    record(recorder);
    await writeSafetensors(path.join(dir, folder, 'strokes.safetensors'), randomWeights(recorder.shapes, stream));
  }
  return dir;
}

function randomWeights(shapes: WeightRecorder['shapes'], stream: number): ReadonlyMap<string, Tensor> {
  const random = createRandom(3, stream);
  const values = (name: string, dims: readonly number[]) => {
    if (dims.length === 1) return new Float32Array(sizeOf(dims)).fill(name.endsWith('.weight') ? 1 : 0);
    const scale = name === 'words' ? 1 : 1 / Math.sqrt(sizeOf(dims.slice(1)));
    return Float32Array.from({ length: sizeOf(dims) }, () => scale * random.gaussian());
  };
  return new Map([...shapes].map(([name, dims]) => [name, tensor(dims, values(name, dims))]));
}
