// A checkpoint made ready to run on one device: the networks that its family describes, each loaded when it is needed.

import path from 'node:path';
import { EditError } from '../../errors.ts';
import type { ModelOutline, PictureSize, TextNetwork } from '../../families/family.ts';
import { adaptedToFewSteps } from '../../families/few-step.ts';
import { misfit } from '../../families/misfit.ts';
import {
  openCheckpoint,
  type CheckpointReading,
  type FamilyCheckpoint,
  type OpenCheckpointOptions,
} from '../../families/open-checkpoint.ts';
import { controlledModel, openControlNet, type ControlNetFile } from '../../families/open-controlnet.ts';
import { replaceVae } from '../../families/replace-vae.ts';
import type { Conditioning } from '../../nets/conditioning.ts';
import type { LatentSize } from '../../nets/denoising-network.ts';
import type { GraphOptions } from '../../onnx/builder.ts';
import { plansForEachShape, sessionOptionsOf, type Execution } from '../../onnx/execution.ts';
import { ShapeError, type FloatType, type Graph } from '../../onnx/graph.ts';
import { createSession, RuntimeLoadError, type RunCost, type Session } from '../../onnx/session.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { float32Copy, withoutFloat8 } from '../../weights/float32-copy.ts';
import { requireSpaceForCopies } from '../../weights/copy-space.ts';
import { mergedWeights } from '../../weights/lora/merged-weights.ts';
import type { TensorSource } from '../../weights/tensor-source.ts';
import type { PromptEmbedding } from '../../weights/textual-inversion.ts';
import { identifyAdapters, mergeInto, openAdapters, type AdapterFiles, type Adapters } from './adapters.ts';
import type { OpenedNet } from './controlnets.ts';
import { openMatrixProducts } from './matrix-product.ts';
import { UNetDenoiser } from './unet-denoiser.ts';
import { MappedFiles } from './mapped-files.ts';
import { identifyModel } from './model-identity.ts';
import { keepPrediction, probePrediction, probeSize, withKeptPrediction } from './prediction-probe.ts';
import { vaeFloat } from './vae-float.ts';
import { decoderSession, encoderSession, openWithinRange, type VaeRange, type VaeSession } from './vae-session.ts';

/** What a plan needs to know of a model. */
export type ModelShape = Pick<ModelOutline, 'unet' | 'vae' | 'sizeMultiple' | 'trainingSide'>;

/** A ControlNet that is ready to run. */
export interface LoadedControlNet extends Pick<OpenedNet, 'network' | 'graph'> {
  readonly createSession: (make: () => Graph) => Promise<Session>;
}

export interface Model extends Omit<ModelOutline, 'createConditioner'> {
  /** Equal only for equal checkpoints, in any folder. */
  identify(): Promise<string>;
  /** What is to be said of how it was read, and of its LoRA and embeddings, in an edit with these prompts. */
  notices(prompts: readonly string[]): readonly string[];
  /** The end of a prompt that the model does not read; null when everything fits. */
  overflowOf(prompt: string): string | null;
  /** Places of the tokens of `words` among those of the prompt's conditioning; none where the model reads them nowhere. */
  placesOf(prompt: string, words: string): readonly number[];
  /** The conditioning of each prompt, in their order. @param size of the working frames */
  conditioning(prompts: readonly string[], size: PictureSize): Promise<readonly Conditioning[]>;
  openEncoder(size: LatentSize): Promise<VaeSession>;
  openDecoder(size: LatentSize): Promise<VaeSession>;
  createDenoiser(size: LatentSize): UNetDenoiser;
  /**
   * Throws EditError 'model-damaged' with the file of weights that was changed or replaced since the model was opened. What was
   * computed until then may be wrong.
   */
  requireUnchanged(): Promise<void>;
  /** Throws EditError: 'adapter-missing', 'adapter-damaged', 'adapter-unsupported', 'disk-full'. */
  openControlNet(file: ControlNetFile): Promise<LoadedControlNet>;
}

export interface OpenModelOptions extends Pick<OpenCheckpointOptions, 'families'>, AdapterFiles {
  /** A checkpoint's folder or file. */
  readonly dir: string;
  /** How it is read; as it says itself when left out. */
  readonly reading?: CheckpointReading | undefined;
  readonly execution: Execution;
  /** Where float32 copies of weights are kept, and what runs of networks have shown. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  /** Called after every run of a network. */
  readonly onRun?: (cost: RunCost) => void;
  /** How a graph is loaded; by default it is loaded again each time. */
  readonly createSession?: typeof createSession;
}

/**
 * Opens a checkpoint. Nothing is loaded before it is used, except where only a run of the network shows what it predicts.
 * Throws EditError: 'model-missing', 'model-damaged', 'model-unsupported', 'disk-full', and those of LoRA and embeddings:
 * 'adapter-missing', 'adapter-damaged', 'adapter-unsupported'.
 */
export async function openModel(options: OpenModelOptions): Promise<Model> {
  const checkpoint = await openVariant(options);
  return assemble(checkpoint.isPredictionUncertain ? await probed(checkpoint, options) : checkpoint, options);
}

/** The checkpoint with what a run of its network shows. */
async function probed(checkpoint: FamilyCheckpoint, options: OpenModelOptions): Promise<FamilyCheckpoint> {
  const { unet, ...model } = await assemble(checkpoint, { ...options, loras: [], embeddings: [] });
  const textWidth = Number(checkpoint.parts.get('unet')?.config['cross_attention_dim']);
  const denoiser = model.createDenoiser(probeSize);
  try {
    const prediction = await probePrediction(denoiser, { channels: unet.latentChannels, textWidth });
    return await keepPrediction(checkpoint, prediction, options.cacheDir);
  } finally {
    await denoiser.release();
  }
}

async function assemble(checkpoint: FamilyCheckpoint, options: OpenModelOptions): Promise<Model> {
  const { execution } = options;
  const files = new MappedFiles();
  for (const { weights } of checkpoint.parts.values()) {
    await files.note([...(await weights.stored()).values()].map(({ file }) => file));
  }
  const adapters = await openAdapters(checkpoint, options);
  const adapted = withLoras(checkpoint, adapters, options);
  const { createConditioner, ...outline } = outlineOf(adapted, options);
  const conditioner = createConditioner(adapters.embeddings);
  const { unet, vae, weights } = outline;
  const range: VaeRange = { float: vaeFloat(vae, execution.float) };
  await requireSpaceForCopies(
    singlePrecisionParts(checkpoint, checkpoint.family.outline(checkpoint).weights, [execution.float, range.float]),
    weightsDirOf(options),
  );
  const unetWeights = await inPrecision(weights.unet, execution.float, options);
  const { fused } = execution;
  // Copies are made here, where a full disk ends the edit before it has begun.
  await inPrecision(weights.vae, range.float, options);
  type BuildVae = (size: LatentSize, graph: GraphOptions) => Graph;
  const openVae = (name: string, size: LatentSize, build: BuildVae) =>
    openWithinRange(range, async (float) => {
      const graph = { name, weights: await inPrecision(weights.vae, float, options), float, fused };
      return openGraph(() => build(size, graph), files, options);
    });
  return {
    ...outline,
    notices: (prompts) => [...checkpoint.notices, ...adapters.notices, ...unusedWords(adapters.embeddings, prompts)],
    identify: async () => identifyModel(checkpoint, await identifyAdapters(options)),
    overflowOf: (prompt) => conditioner.overflowOf(prompt),
    placesOf: (prompt, words) => conditioner.placesOf(prompt, words),
    conditioning: (prompts, size) =>
      conditioner.conditioning(prompts, size, (network) => runText(network, files, options)),
    openEncoder: async (size) =>
      encoderSession(await openVae('vae encoder', size, (...graph) => vae.buildEncoder(...graph)), vae.latents),
    openDecoder: async (size) =>
      decoderSession(await openVae('vae decoder', size, (...graph) => vae.buildDecoder(...graph)), vae.latents),
    createDenoiser: (size) =>
      new UNetDenoiser({
        network: unet,
        size,
        graph: { weights: unetWeights, float: execution.float, fused },
        createSession: (make) => openGraph(make, files, options),
        keepsBatch: plansForEachShape[execution.provider],
      }),
    requireUnchanged: () => files.requireUnchanged(),
    async openControlNet(file) {
      const opened = await openControlNet(controlledModel(checkpoint), file, variantOf(execution));
      const merge = { cacheDir: weightsDirOf(options), signal: options.signal, openProducts: openMatrixProducts };
      const own = widened(opened.weights, execution.float, options);
      const whole =
        opened.differences.size === 0 ? own : mergedWeights(own, opened.differences, { ...merge, inUse: new Set() });
      return {
        network: opened.network,
        graph: { weights: await whole.stored(), float: execution.float, fused },
        createSession: (make) => openGraph(make, files, options),
      };
    },
  };
}

function unusedWords(embeddings: readonly PromptEmbedding[], prompts: readonly string[]): readonly string[] {
  const text = prompts.join('\n').toLowerCase();
  return embeddings
    .filter(({ words }) => !words.some((word) => text.includes(word.toLowerCase())))
    .map(({ name }) => `The embedding "${name}" is in none of the prompts and was not used.`);
}

/**
 * LoRA are merged into weights of the precision that the network computes in, so that a float32 copy of the checkpoint serves
 * every choice of LoRA. Text encoders compute in single precision.
 */
function withLoras(checkpoint: FamilyCheckpoint, adapters: Adapters, options: OpenModelOptions): FamilyCheckpoint {
  if (adapters.loras.length === 0) return checkpoint;
  const { execution, signal } = options;
  const { unet } = checkpoint.family.outline(checkpoint).weights;
  const prepare = (weights: TensorSource): TensorSource =>
    widened(weights, weights === unet ? execution.float : 'float32', options);
  return mergeInto(checkpoint, adapters, { weightsDir: weightsDirOf(options), signal, prepare });
}

type CheckpointToOpen = Pick<
  OpenModelOptions,
  'dir' | 'reading' | 'execution' | 'families' | 'cacheDir' | keyof AdapterFiles
>;

/** What `Model.identify` would say of the checkpoint, without the model. Throws as `readModelOutline` does. */
export async function identifyCheckpoint(checkpoint: CheckpointToOpen): Promise<string> {
  return identifyModel(await openVariant(checkpoint), await identifyAdapters(checkpoint));
}

async function openVariant({
  dir,
  reading,
  execution,
  families,
  cacheDir,
  vae = null,
}: CheckpointToOpen): Promise<FamilyCheckpoint> {
  const variant = variantOf(execution);
  const opened = await openCheckpoint(dir, { ...reading, families, vae, ...variant });
  return replaceVae(await withKeptPrediction(opened, cacheDir), vae, variant);
}

/**
 * Reads the outline of a checkpoint, and whether the adapters fit it. Throws EditError: 'model-missing', 'model-damaged',
 * 'model-unsupported', 'adapter-missing', 'adapter-damaged', 'adapter-unsupported'.
 */
export async function readModelOutline(
  dir: string,
  families?: OpenCheckpointOptions['families'],
  files: AdapterFiles & Pick<OpenModelOptions, 'reading'> = {},
): Promise<ModelOutline> {
  const { reading, vae = null } = files;
  const checkpoint = await replaceVae(await openCheckpoint(dir, { ...reading, families, vae }), vae);
  const { embeddings } = await openAdapters(checkpoint, files);
  const outline = outlineOf(checkpoint, files);
  if (embeddings.length > 0) outline.createConditioner(embeddings);
  for (const file of files.controls ?? []) await openControlNet(controlledModel(checkpoint), file);
  return outline;
}

function variantOf({ float }: Execution): { readonly variant?: string } {
  return float === 'float16' ? { variant: 'fp16' } : {};
}

/** What the checkpoint is like with its LoRA: some make it a model of few steps. */
function outlineOf(checkpoint: FamilyCheckpoint, { loras = [] }: AdapterFiles): ModelOutline {
  const used = loras.filter(({ strength }) => strength !== 0);
  const names = used.flatMap(({ name, file }) => [name, path.basename(file)]);
  return adaptedToFewSteps(checkpoint.family.outline(checkpoint), { dir: checkpoint.dir, loras: names });
}

/** Where the weights lie for networks that compute in `float`. */
function inPrecision(source: TensorSource, float: FloatType, options: OpenModelOptions) {
  return widened(source, float, options).stored();
}

function widened(source: TensorSource, float: FloatType, options: OpenModelOptions): TensorSource {
  const widen = float === 'float32' ? float32Copy : withoutFloat8;
  return widen(source, weightsDirOf(options), options.signal);
}

function weightsDirOf({ cacheDir }: Pick<OpenModelOptions, 'cacheDir'>): string {
  return path.join(cacheDir, 'weights');
}

/** Parts of which an edit takes a copy in single precision where they are narrower: also those that it opens later. */
function singlePrecisionParts(
  { parts }: FamilyCheckpoint,
  { unet, vae }: ModelOutline['weights'],
  [ofUNet, ofVae]: readonly [FloatType, FloatType],
): readonly TensorSource[] {
  const others = [...parts.values()]
    .map(({ weights }) => weights)
    .filter((source) => source !== unet && source !== vae);
  return [...(ofUNet === 'float32' ? [unet] : []), ...(ofVae === 'float32' ? [vae] : []), ...others];
}

/** Runs once per edit, in single precision: the session is not kept. */
async function runText(
  { name, weights: source, build, feeds }: TextNetwork,
  files: MappedFiles,
  options: OpenModelOptions,
): Promise<Readonly<Record<string, Tensor>>> {
  const weights = await inPrecision(source, 'float32', options);
  const { fused } = options.execution;
  const session = await openGraph(() => build({ name, weights, float: 'float32', fused }), files, options);
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** A graph that can't be built means that the checkpoint's weights are not those of its config. */
async function openGraph(make: () => Graph, files: MappedFiles, options: OpenModelOptions): Promise<Session> {
  const { dir, execution, onRun, createSession: load = createSession } = options;
  try {
    const graph = make();
    const observed = onRun === undefined ? {} : { onRun };
    const session = await files.load(graph, () => load(graph, { ...sessionOptionsOf(execution), ...observed }));
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
