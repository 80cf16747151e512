// A checkpoint made ready to run on one device: text encoder, VAE and UNet with the tokenizer and noise schedule that
// belong to them.

import path from 'node:path';
import { parseSchedulerConfig, type SchedulerConfig } from '../../diffusion/scheduler-config.ts';
import { createTokenizer, type Tokenizer } from '../../diffusion/tokenizer.ts';
import { EditError } from '../../errors.ts';
import { buildClipText } from '../../nets/clip-text.ts';
import { parseClipTextConfig, type ClipTextConfig } from '../../nets/clip-text-config.ts';
import { parseUNetConfig, type UNetConfig } from '../../nets/unet-config.ts';
import type { LatentSize } from '../../nets/pass-graph.ts';
import { buildVaeDecoder, buildVaeEncoder } from '../../nets/vae.ts';
import { parseVaeConfig, type VaeConfig } from '../../nets/vae-config.ts';
import type { GraphOptions } from '../../onnx/builder.ts';
import { plansForEachShape, sessionOptionsOf, type Execution } from '../../onnx/execution.ts';
import { ShapeError, type Graph } from '../../onnx/graph.ts';
import { createSession, RuntimeLoadError, type RunCost, type Session } from '../../onnx/session.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { openCheckpoint, type Checkpoint } from '../../weights/checkpoint.ts';
import { float32Copy } from '../../weights/float32-copy.ts';
import type { TensorSource } from '../../weights/tensor-source.ts';
import { UNetDenoiser } from './denoiser.ts';
import { identifyModel } from './model-identity.ts';

/** What a checkpoint is like, known without its weights. */
export interface ModelShape {
  readonly unet: UNetConfig;
  readonly vae: VaeConfig;
  readonly scheduler: SchedulerConfig;
  /** Width and height of a working frame must be multiples of this many pixels. */
  readonly sizeMultiple: number;
  /** Side in pixels of the square that the UNet was trained on. */
  readonly trainingSide: number;
}

/** With where its weights are. */
export interface ModelOutline extends ModelShape {
  readonly weights: { readonly unet: TensorSource; readonly vae: TensorSource };
}

export interface Model extends ModelOutline {
  readonly tokenizer: Tokenizer;
  /** Equal for equal checkpoints only, wherever they lie. */
  identify(): Promise<string>;
  /** Text embeddings of prompts [N, tokens, D]. */
  encodePrompts(prompts: readonly string[]): Promise<Tensor>;
  openEncoder(size: LatentSize): Promise<VaeSession>;
  openDecoder(size: LatentSize): Promise<VaeSession>;
  createDenoiser(size: LatentSize): UNetDenoiser;
}

/** One direction of the VAE. Latents are scaled for the UNet (scaling factor applied). */
export interface VaeSession {
  /** Encoder: image [N, 3, H, W] in -1..1 -> latents [N, C, h, w]. Decoder: the way back. */
  run(input: Tensor): Promise<Tensor>;
  release(): Promise<void>;
}

export interface OpenModelOptions {
  readonly dir: string;
  readonly execution: Execution;
  /** Where float32 copies of weights are kept. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  /** Called after every run of a network. */
  readonly onRun?: (cost: RunCost) => void;
  /** How a graph is loaded, by default anew each time. */
  readonly createSession?: typeof createSession;
}

/**
 * Opens a checkpoint folder. Nothing is loaded before it is used. Throws EditError: 'model-missing', 'model-damaged',
 * 'model-unsupported', 'disk-full'.
 */
export async function openModel(options: OpenModelOptions): Promise<Model> {
  const { dir, execution, cacheDir, signal } = options;
  const checkpoint = await openVariant(dir, execution);
  const text = parseClipTextConfig(checkpoint.textEncoder.config);
  const outline = outlineOf(checkpoint, text);
  const { unet, vae } = outline;
  const tokenizer = createTokenizer(checkpoint.tokenizer, text.maxPositions);
  const weightsDir = path.join(cacheDir, 'weights');
  const single = (weights: TensorSource) => float32Copy(weights, weightsDir, signal);
  const stored = checkpoint.unet.weights;
  const unetWeights = await (execution.float === 'float32' ? single(stored) : stored).stored();
  // The VAE of Stable Diffusion leaves the range of half precision: it always runs in single precision.
  const vaeWeights = await single(checkpoint.vae.weights).stored();
  const open = (make: () => Graph) => openGraph(make, options);
  const vaeGraph = (name: string): GraphOptions => ({
    name,
    weights: vaeWeights,
    float: 'float32',
    fused: execution.fused,
  });
  return {
    ...outline,
    tokenizer,
    identify: () => identifyModel(checkpoint),
    encodePrompts: (prompts) => encodePrompts(checkpoint, text, tokenizer, prompts, options),
    openEncoder: async (size) => {
      const session = await open(() => buildVaeEncoder(vae, size, vaeGraph('vae encoder')));
      return vaeSession(session, 'image', 'mean', { before: 1, after: vae.scalingFactor });
    },
    openDecoder: async (size) => {
      const session = await open(() => buildVaeDecoder(vae, size, vaeGraph('vae decoder')));
      return vaeSession(session, 'latents', 'image', { before: 1 / vae.scalingFactor, after: 1 });
    },
    createDenoiser: (size) =>
      new UNetDenoiser({
        config: unet,
        size,
        graph: { weights: unetWeights, float: execution.float, fused: execution.fused },
        createSession: open,
        keepsBatch: plansForEachShape[execution.provider],
      }),
  };
}

/** What `Model.identify` would say of the checkpoint in `dir`, without the model. Throws as `readModelOutline` does. */
export async function identifyModelIn(dir: string, execution: Execution): Promise<string> {
  return identifyModel(await openVariant(dir, execution));
}

function openVariant(dir: string, { float }: Execution): Promise<Checkpoint> {
  return openCheckpoint(dir, float === 'float16' ? { variant: 'fp16' } : {});
}

/** Reads what a checkpoint is like. Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported'. */
export async function readModelOutline(dir: string): Promise<ModelOutline> {
  const checkpoint = await openCheckpoint(dir);
  return outlineOf(checkpoint, parseClipTextConfig(checkpoint.textEncoder.config));
}

function outlineOf(checkpoint: Checkpoint, text: ClipTextConfig): ModelOutline {
  const unet = parseUNetConfig(checkpoint.unet.config);
  const vae = parseVaeConfig(checkpoint.vae.config);
  requireFittingParts(checkpoint.dir, unet, vae, text);
  return {
    unet,
    vae,
    scheduler: parseSchedulerConfig(checkpoint.schedulerConfig),
    sizeMultiple: vae.downscale * 2 ** (unet.blockChannels.length - 1),
    trainingSide: unet.sampleSize * vae.downscale,
    weights: { unet: checkpoint.unet.weights, vae: checkpoint.vae.weights },
  };
}

function requireFittingParts(dir: string, unet: UNetConfig, vae: VaeConfig, text: ClipTextConfig): void {
  const fail = (rule: string): never => {
    throw misfit('model-unsupported', `${dir}: ${rule}.`);
  };
  if (unet.latentChannels !== vae.latentChannels) {
    fail(`the UNet works on ${unet.latentChannels} latent channels, the VAE on ${vae.latentChannels}`);
  }
  if (unet.crossAttentionDim !== text.hiddenSize) {
    fail(`the UNet reads text of width ${unet.crossAttentionDim}, the text encoder writes ${text.hiddenSize}`);
  }
}

/** Runs once per edit: the session is not kept. */
async function encodePrompts(
  checkpoint: Checkpoint,
  config: ClipTextConfig,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  options: OpenModelOptions,
): Promise<Tensor> {
  const { dir, execution, cacheDir, signal } = options;
  const { maxLength: length } = tokenizer;
  const ids = prompts.flatMap((prompt) => tokenizer.encode(prompt).ids);
  const unknown = ids.find((id) => id >= config.vocabSize);
  if (unknown !== undefined) {
    throw misfit(
      'model-damaged',
      `${dir}: the tokenizer knows a token ${unknown}, the text encoder ${config.vocabSize} tokens.`,
    );
  }
  const copy = float32Copy(checkpoint.textEncoder.weights, path.join(cacheDir, 'weights'), signal);
  const weights = await copy.stored();
  const graph = {
    name: 'text encoder',
    weights,
    float: 'float32',
    fused: execution.fused,
  } as const;
  const make = () => buildClipText({ ...config, length }, graph);
  const session = await openGraph(make, options);
  try {
    const { last_hidden_state: embeddings } = await session.run({
      input_ids: { dims: [prompts.length, length], data: Int32Array.from(ids) },
    });
    if (embeddings === undefined) throw new TypeError('The text encoder returned nothing.');
    return embeddings;
  } finally {
    await session.release();
  }
}

function vaeSession(
  session: Session,
  inputName: string,
  outputName: string,
  factors: { readonly before: number; readonly after: number },
): VaeSession {
  return {
    async run(input) {
      const results = await session.run({ [inputName]: scaled(input, factors.before) });
      const output = results[outputName];
      if (output === undefined) throw new TypeError(`The VAE returned no ${outputName}.`);
      return scaled(output, factors.after);
    },
    release: () => session.release(),
  };
}

function scaled({ dims, data }: Tensor, factor: number): Tensor {
  return factor === 1 ? { dims, data } : { dims, data: data.map((value) => value * factor) };
}

/** A graph that can't be built means that the checkpoint's weights are not those of its config. */
async function openGraph(make: () => Graph, options: OpenModelOptions): Promise<Session> {
  const { dir, execution, onRun, createSession: load = createSession } = options;
  try {
    const session = await load(make(), {
      ...sessionOptionsOf(execution),
      ...(onRun === undefined ? {} : { onRun }),
    });
    return {
      run: (inputs) => session.run(inputs).catch(failRun),
      release: () => session.release(),
    };
  } catch (error) {
    if (!(error instanceof ShapeError)) return failRun(error);
    throw misfit('model-damaged', `${dir}: ${error.message}`, error);
  }
}

/** Loading and running a graph can both take more memory than there is; ONNX Runtime says so in words only. */
function failRun(error: unknown): never {
  if (error instanceof RuntimeLoadError) {
    throw new EditError('device-unavailable', error.message, { cause: error });
  }
  if (!(error instanceof Error && /failed to allocate/i.test(error.message))) throw error;
  throw new EditError('out-of-memory', 'There is not enough memory for an edit of this size.', {
    hint: 'Close other programs, or choose a smaller working size with --size.',
    cause: error,
  });
}

function misfit(code: 'model-damaged' | 'model-unsupported', fault: string, cause?: unknown): EditError {
  return new EditError(code, fault, {
    hint: 'The parts of the checkpoint do not belong together: download the folder again.',
    cause,
  });
}
