// Checkpoints of Stable Diffusion XL in one file, and of the networks that were made smaller out of it, as the original code
// (Stability-AI/generative-models) and most programs after it write them.

import type { StoredTensors } from '../../tensor/stored-tensor.ts';
import type { CheckpointFile } from '../../weights/checkpoint-file.ts';
import { clipTokenizerFiles } from '../../weights/clip-tokenizer.ts';
import type { JsonObject } from '../../weights/json-file.ts';
import { under } from '../../weights/ldm/prefix.ts';
import { clipTextNames, openClipTextNames } from '../../weights/ldm/text-names.ts';
import { ldmUNetNames } from '../../weights/ldm/unet-names.ts';
import type { FilePart, SingleFileLayout, SingleFileParts } from '../family.ts';
import { clipTextConfigOf, countOf, scheduleOf, unetConfigOf, vaeConfigOf } from '../ldm-configs.ts';
import { filePart, unetPrefix } from '../ldm-parts.ts';
import type { FileShapes } from '../refused-files.ts';
import { vaeIn } from '../vae-in-file.ts';
import { findPrediction } from '../stable-diffusion/prediction.ts';
import { title } from './parts.ts';
import { timeIdCount } from './time-ids.ts';

const clipPrefix = 'conditioner.embedders.0.transformer.';
const openClipPrefix = 'conditioner.embedders.1.model.';

const scalingFactor = 0.13025;
/** Side of the latents: 1024 x 1024 pixels. */
const sampleSize = 128;
/** Features of each time id, where the width of the prompt's embedding does not tell it. */
const usualTimeIdFeatures = 256;

export const singleFile: SingleFileLayout = { recognises, read, isPartFor };

/** By what is added to the time, and by the finest level, which has no transformers. */
function recognises(tensors: FileShapes): string | null {
  if (tensors.get(`${unetPrefix}input_blocks.0.0.weight`)?.dims[1] !== 4) return null;
  const has = (pattern: RegExp): boolean => [...tensors.keys()].some((key) => pattern.test(key));
  const isOne =
    tensors.has(`${unetPrefix}label_emb.0.0.weight`) &&
    has(/^model\.diffusion_model\.input_blocks\.\d+\.1\.transformer_blocks\.0\.attn2\.to_k\.weight$/) &&
    !has(/^model\.diffusion_model\.input_blocks\.1\.1\./);
  return isOne ? title : null;
}

async function read(file: CheckpointFile): Promise<SingleFileParts> {
  const unet = ldmUNetNames(under(file.tensors, unetPrefix));
  const pooling = poolingText(file.tensors);
  // Unless a key says otherwise it predicts noise, as Stable Diffusion 1.x does.
  const prediction = await findPrediction(file, 1);
  const vae = vaeIn(file.tensors);
  const latentScale = Number(file.settings.get('scale_factor') ?? scalingFactor);
  return {
    parts: new Map([
      ['unet', filePart(unet, xlUNetConfigOf(unet, pooling))],
      // Whether a VAE is the one whose values fit into half precision is not told by a file.
      ['vae', filePart(vae, { ...vaeConfigOf(vae, latentScale), force_upcast: true })],
      ['text_encoder', clipText(file.tensors)],
      ['text_encoder_2', pooling],
    ]),
    modelIndex: { _class_name: 'StableDiffusionXLPipeline', force_zeros_for_empty_prompt: true },
    schedulerConfig: scheduleOf(prediction),
    tokenizers: new Map([
      ['tokenizer', clipTokenizerFiles('<|endoftext|>')],
      ['tokenizer_2', clipTokenizerFiles('!')],
    ]),
    prediction: prediction.evidence,
    latentScale,
  };
}

function clipText(tensors: StoredTensors): FilePart | null {
  const clip = clipTextNames(under(tensors, clipPrefix));
  return filePart(clip, clipTextConfigOf(clip, 'quick_gelu'));
}

/** The encoder that embeds the whole prompt. */
function poolingText(tensors: StoredTensors): FilePart | null {
  const openClip = openClipTextNames(under(tensors, openClipPrefix));
  const config = clipTextConfigOf(openClip, 'gelu');
  return filePart(openClip, {
    ...config,
    architectures: ['CLIPTextModelWithProjection'],
    // A missing matrix is named by who asks for it.
    projection_dim: openClip.get('text_projection')?.dims[1] ?? config['hidden_size'],
  });
}

function xlUNetConfigOf(unet: StoredTensors, pooling: FilePart | null): JsonObject {
  const addedFeatures = unet.get('add_embedding.linear_1.weight')?.dims[1];
  const projection = Number(pooling?.config['projection_dim'] ?? NaN);
  const told = (Number(addedFeatures) - projection) / timeIdCount;
  return {
    ...unetConfigOf(unet),
    ...depthsOf(unet),
    sample_size: sampleSize,
    addition_embed_type: 'text_time',
    addition_time_embed_dim: Number.isInteger(told) && told > 0 ? told : usualTimeIdFeatures,
    projection_class_embeddings_input_dim: addedFeatures,
  };
}

/**
 * How deep the transformers are: one number per level where all of a level are equal and the way up mirrors the way down,
 * else one per layer. Levels without transformers have 1, as diffusers writes them.
 */
function depthsOf(unet: FileShapes): JsonObject {
  const down = depthsOfWay(unet, 'down_blocks');
  const up = depthsOfWay(unet, 'up_blocks');
  const even = down.map((depths) => depths[0] ?? 1);
  const isEven = down.every((depths) => depths.every((depth) => depth === depths[0]));
  const isMirrored = up.every((depths, i) => depths.every((depth) => depth === even[even.length - 1 - i]));
  return {
    mid_block_type: middleOf(unet),
    ...(isEven && isMirrored
      ? { transformer_layers_per_block: even }
      : {
          transformer_layers_per_block: down.map((depths) => (depths.length === 0 ? 1 : depths)),
          reverse_transformer_layers_per_block: up.map((depths) => (depths.length === 0 ? 1 : depths)),
        }),
  };
}

/** Blocks of each transformer, by level; a level without transformers has none. */
function depthsOfWay(unet: FileShapes, way: 'down_blocks' | 'up_blocks'): readonly (readonly number[])[] {
  return Array.from({ length: countOf(unet, `${way}.`) }, (_, level) => {
    const transformers = `${way}.${level}.attentions.`;
    return Array.from({ length: countOf(unet, transformers) }, (_, layer) =>
      countOf(unet, `${transformers}${layer}.transformer_blocks.`),
    );
  });
}

function middleOf(unet: FileShapes): string | null {
  if (countOf(unet, 'mid_block.attentions.') > 0) return 'UNetMidBlock2DCrossAttn';
  return countOf(unet, 'mid_block.resnets.') > 0 ? 'UNetMidBlock2D' : null;
}

/** Both encoders write the text that the UNet reads, side by side. */
function isPartFor(folder: string, config: JsonObject, others: ReadonlyMap<string, JsonObject>): boolean {
  const unet = others.get('unet') ?? {};
  if (folder === 'vae') return (config['latent_channels'] ?? 4) === unet['in_channels'];
  const other = others.get(folder === 'text_encoder' ? 'text_encoder_2' : 'text_encoder');
  const left = Number(unet['cross_attention_dim']) - Number(other?.['hidden_size'] ?? 0);
  const width = Number(config['hidden_size']);
  if (other === undefined ? width >= left : width !== left) return false;
  if (folder === 'text_encoder') return true;
  const timeFeatures = timeIdCount * Number(unet['addition_time_embed_dim']);
  return Number(config['projection_dim']) + timeFeatures === unet['projection_class_embeddings_input_dim'];
}
