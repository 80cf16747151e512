// A ControlNet for a checkpoint: a folder as diffusers writes it, or one file of lllyasviel's or diffusers' naming. A
// ControlNet is a copy of its UNet's way down, so that what a file does not say is as in the checkpoint's UNet.

import { EditError } from '../errors.ts';
import type { ControlNetwork } from '../nets/controlnet.ts';
import { isFile, openCheckpointFile, type CheckpointFile } from '../weights/checkpoint-file.ts';
import { openComponent, type OpenOptions, type PartLayout } from '../weights/component.ts';
import type { JsonObject } from '../weights/json-file.ts';
import { ldmControlNetNames } from '../weights/ldm/controlnet-names.ts';
import { under } from '../weights/ldm/prefix.ts';
import { joinedSources, someOf } from '../weights/joined-source.ts';
import { naming } from '../weights/lora/adapter-error.ts';
import { changesOf } from '../weights/lora/changes.ts';
import { openLora, type OpenedLora } from '../weights/lora/lora-file.ts';
import type { WeightChange } from '../weights/lora/match-lora.ts';
import { tensorsInFiles, type TensorSource } from '../weights/tensor-source.ts';
import { classNameOf } from './class-name.ts';
import { buildChecked, type ControlledModel } from './controlnet-fit.ts';
import type { FamilyCheckpoint } from './family.ts';
import { formOfControlNet, refuseControlNet, type ControlNetForm } from './controlnet-files.ts';
import { countOf, unetConfigOf } from './ldm-configs.ts';

/** As a job names it. */
export interface ControlNetFile {
  /** For messages. */
  readonly name: string;
  /** Absolute path of a safetensors file, or of a folder in diffusers layout. */
  readonly file: string;
}

/** What a ControlNet for the checkpoint must fit. */
export function controlledModel(checkpoint: FamilyCheckpoint): ControlledModel {
  const { family, parts } = checkpoint;
  const unet = parts.get('unet');
  if (unet === undefined) throw unfit(`${family.title} has no UNet that could be controlled.`);
  const { latents } = family.outline(checkpoint).vae;
  return { family, config: unet.config, weights: unet.weights, latents };
}

export interface OpenedControlNet {
  readonly network: ControlNetwork;
  readonly weights: TensorSource;
  /**
   * What is to be added to weights first, by key: files may have the differences to the UNet, and `weights` has the UNet's own
   * then. None for most files.
   */
  readonly differences: ReadonlyMap<string, readonly WeightChange[]>;
}

const layout: PartLayout = {
  folder: 'controlnet',
  stem: 'diffusion_pytorch_model',
  requireKind(dir, config) {
    const name = classNameOf(config);
    if (name === 'ControlNetModel' || name === undefined) return;
    throw unfit(`${dir}: is ${otherClasses[name] ?? `of the class ${name}`}, and no plain ControlNet`);
  },
};

const otherClasses: Readonly<Record<string, string>> = {
  ControlNetUnionModel: 'a ControlNet++ (Union)',
  T2IAdapter: 'a T2I-Adapter',
  MultiAdapter: 'a T2I-Adapter',
  ControlNetXSAdapter: 'a ControlNet-XS',
  FluxControlNetModel: 'a ControlNet for Flux',
  SD3ControlNetModel: 'a ControlNet for Stable Diffusion 3',
};

/**
 * Only headers are read. Throws EditError: 'adapter-missing', 'adapter-damaged', and 'adapter-unsupported' for what is no
 * ControlNet, or one of another kind of model.
 */
export function openControlNet(
  model: ControlledModel,
  { name, file }: ControlNetFile,
  options: OpenOptions = {},
): Promise<OpenedControlNet> {
  return naming('ControlNet', name, async () => {
    if (!(await isFile(file))) {
      const { config, weights } = await openComponent(file, layout, options);
      const network = buildChecked(model, config, weights.tensors);
      return { network, weights, differences: new Map() };
    }
    refusePickle(file);
    const opened = await openCheckpointFile(file);
    const form = formIn(opened);
    const weights = tensorsInFiles(namedAsDiffusers(opened.tensors, form));
    const network = buildChecked(model, configInFile(weights.tensors, model.config), weights.tensors);
    if (!form.isDifference) return { network, weights, differences: new Map() };
    const keys = namedAsDiffusers(new Map([...opened.tensors.keys()].map((key) => [key, key])), form);
    const lora = await openLora({ name, file: opened.path, strength: 1 });
    const changes = [...keys].flatMap(([key, fileKey]) => differenceOf(key, fileKey, model.weights, lora));
    const differences = new Map(changes);
    const own = someOf(model.weights, (key) => differences.has(key));
    return { network, weights: joinedSources([weights, own]), differences };
  });
}

function formIn(file: CheckpointFile): ControlNetForm {
  // A flag without values may be of any type.
  const form = formOfControlNet(new Map([...file.others, ...file.tensors]));
  if (form !== null) return form;
  const { what, instead } = refuseControlNet(file.tensors);
  throw unfit(`${baseName(file.path)} is ${what}. ${instead}`);
}

function namedAsDiffusers<T>(
  entries: ReadonlyMap<string, T>,
  { prefix, naming: names }: ControlNetForm,
): ReadonlyMap<string, T> {
  const own = under(entries, prefix);
  return names === 'ldm' ? ldmControlNetNames(own) : own;
}

/** A tensor that has the name of one of the UNet's is the difference to it. */
function differenceOf(
  key: string,
  fileKey: string,
  unet: TensorSource,
  lora: OpenedLora,
): readonly (readonly [string, readonly WeightChange[]])[] {
  const dims = unet.tensors.get(key)?.dims;
  const [change] = dims === undefined ? [] : changesOf(new Map([['diff', dims]]));
  if (change === undefined) return [];
  const target = { part: layout.folder, module: key.replace(/\.(weight|bias)$/, '') };
  return [[key, [{ lora, change, keys: new Map([['diff', fileKey]]), target, magnitudes: null }]]];
}

/** config.json as a folder would have it. */
function configInFile(tensors: TensorSource['tensors'], unet: JsonObject): JsonObject {
  const { down_block_types, block_out_channels, layers_per_block, cross_attention_dim, in_channels } =
    unetConfigOf(tensors);
  const depths = Array.from({ length: countOf(tensors, 'down_blocks.') }, (_, level) =>
    Math.max(1, countOf(tensors, `down_blocks.${level}.attentions.0.transformer_blocks.`)),
  );
  const added = tensors.get('add_embedding.linear_1.weight')?.dims[1];
  return {
    ...unet,
    ...{ down_block_types, block_out_channels, layers_per_block, in_channels },
    cross_attention_dim: cross_attention_dim ?? unet['cross_attention_dim'],
    conditioning_embedding_out_channels: embeddingChannels(tensors),
    addition_embed_type: added === undefined ? undefined : 'text_time',
    ...(added === undefined ? {} : { projection_class_embeddings_input_dim: added }),
    ...(added === undefined ? {} : { transformer_layers_per_block: depths, mid_block_type: middleOf(tensors) }),
    ...headsIn(unet, block_out_channels),
  };
}

/** One number of heads per level; a checkpoint of another kind has another number of levels, and is refused by that. */
function headsIn(unet: JsonObject, channels: unknown): JsonObject {
  const heads = unet['attention_head_dim'];
  const levels = Array.isArray(channels) ? channels.length : 0;
  return Array.isArray(heads) && heads.length !== levels ? { attention_head_dim: 1 } : {};
}

function embeddingChannels(tensors: TensorSource['tensors']): readonly number[] {
  const width = (key: string) => tensors.get(`controlnet_cond_embedding.${key}.weight`)?.dims[0] ?? 0;
  const blocks = countOf(tensors, 'controlnet_cond_embedding.blocks.');
  return [width('conv_in'), ...Array.from({ length: blocks / 2 }, (_, i) => width(`blocks.${2 * i + 1}`))];
}

function middleOf(tensors: TensorSource['tensors']): string {
  return countOf(tensors, 'mid_block.attentions.') > 0 ? 'UNetMidBlock2DCrossAttn' : 'UNetMidBlock2D';
}

function refusePickle(file: string): void {
  if (!/\.(bin|ckpt|pt|pth)$/i.test(file)) return;
  throw unfit(
    `${baseName(file)} is a pickle, which may run code when it is read. Take the same network as .safetensors: those of lllyasviel's version 1.1 are in comfyanonymous/ControlNet-v1-1_fp16_safetensors, or convert the file once with diffusers (ControlNetModel.from_single_file and save_pretrained)`,
  );
}

function baseName(file: string): string {
  return file.split(/[\\/]/).at(-1) ?? file;
}

function unfit(reason: string): EditError {
  return new EditError('model-unsupported', /[.!?]$/.test(reason) ? reason : `${reason}.`);
}
