// Checkpoints of Stable Diffusion XL in one file, and of the smaller networks that were made out of it (SSD-1B,
// Segmind-Vega). Keys as in the original code (Stability-AI/generative-models).

import type { StoredTensors } from '../../tensor/stored-tensor.ts';
import type { CheckpointFile } from '../../weights/checkpoint-file.ts';
import { clipTokenizerFiles } from '../../weights/clip-tokenizer.ts';
import type { JsonObject } from '../../weights/json-file.ts';
import { under } from '../../weights/ldm/prefix.ts';
import { clipTextNames, openClipTextNames } from '../../weights/ldm/text-names.ts';
import { ldmUNetNames } from '../../weights/ldm/unet-names.ts';
import type { FilePart, SingleFileLayout, SingleFileParts } from '../family.ts';
import { clipTextConfigOf, countOf, ldmSchedulerConfig, unetConfigOf, vaeConfigOf } from '../ldm-configs.ts';
import { contextWidth, filePart, unetPrefix } from '../ldm-parts.ts';
import type { FileShapes } from '../refused-files.ts';
import { vaeIn } from '../vae-in-file.ts';
import { findPrediction } from '../stable-diffusion/prediction.ts';
import { title } from './parts.ts';
import { timeIdCount } from './time-ids.ts';

const clipPrefix = 'conditioner.embedders.0.transformer.';
const openClipPrefix = 'conditioner.embedders.1.model.';

/** Width of the text that the refiner's UNet reads, which is of OpenCLIP alone. */
const refinerContext = 1280;
const scalingFactor = 0.13025;
/** Side of the latents of 1024 x 1024 pixels. */
const sampleSize = 128;
/** Sinusoidal features of each number about the picture. */
const timeIdFeatures = 256;

export const singleFile: SingleFileLayout = { recognises, read, isPartFor };

/** By what is added to the time, which Stable Diffusion 1.x and 2.x have not. */
function recognises(tensors: FileShapes): string | null {
  if (tensors.get(`${unetPrefix}input_blocks.0.0.weight`)?.dims[1] !== 4) return null;
  if (!tensors.has(`${unetPrefix}label_emb.0.0.weight`)) return null;
  const width = contextWidth(tensors);
  return width === undefined || width === refinerContext ? null : title;
}

async function read(file: CheckpointFile): Promise<SingleFileParts> {
  const unet = ldmUNetNames(under(file.tensors, unetPrefix));
  const vae = vaeIn(file.tensors);
  // Unless a key says otherwise it predicts noise, as Stable Diffusion 1.x does.
  const { isVelocity, evidence, hasZeroSnr } = await findPrediction(file, 1);
  const unetConfig = {
    ...unetConfigOf(unet),
    ...depthsOf(unet),
    addition_embed_type: 'text_time',
    addition_time_embed_dim: timeIdFeatures,
    projection_class_embeddings_input_dim: unet.get('add_embedding.linear_1.weight')?.dims[1],
    sample_size: sampleSize,
  };
  const vaeConfig = {
    ...vaeConfigOf(vae, Number(file.settings.get('scale_factor') ?? scalingFactor)),
    // Values of the original VAE leave the range of half precision; shapes do not tell it from one that was mended.
    force_upcast: true,
  };
  return {
    parts: new Map([
      ['unet', filePart(unet, unetConfig)],
      ['vae', filePart(vae, vaeConfig)],
      ['text_encoder', clipOf(file.tensors)],
      ['text_encoder_2', openClipOf(file.tensors)],
    ]),
    modelIndex: { _class_name: 'StableDiffusionXLPipeline', force_zeros_for_empty_prompt: true },
    schedulerConfig: {
      ...ldmSchedulerConfig,
      prediction_type: isVelocity ? 'v_prediction' : 'epsilon',
      ...(hasZeroSnr ? { rescale_betas_zero_snr: true, timestep_spacing: 'trailing' } : {}),
    },
    tokenizers: new Map([
      ['tokenizer', clipTokenizerFiles('<|endoftext|>')],
      ['tokenizer_2', clipTokenizerFiles('!')],
    ]),
    prediction: evidence,
  };
}

/**
 * Blocks of each transformer, as diffusers writes them: one number per level where all layers of a level are alike and the way
 * up mirrors the way down, else one per layer and way. A level without transformers has 1.
 */
function depthsOf(unet: StoredTensors): JsonObject {
  const depth = (key: string): number => countOf(unet, `${key}.transformer_blocks.`);
  const depthsAt = (block: string): readonly number[] =>
    Array.from({ length: countOf(unet, `${block}.resnets.`) }, (_, layer) => depth(`${block}.attentions.${layer}`));
  const ways = (way: 'down' | 'up'): readonly (readonly number[])[] =>
    Array.from({ length: countOf(unet, `${way}_blocks.`) }, (_, level) => depthsAt(`${way}_blocks.${level}`));
  const [down, up] = [ways('down'), ways('up')];
  const middle = depth('mid_block.attentions.0');
  const middleType = countOf(unet, 'mid_block.resnets.') === 0 ? null : 'UNetMidBlock2D';
  const isEven = down.every((layers, level) => {
    const mirrored = [...layers, ...(up.at(-1 - level) ?? [])];
    return mirrored.every((one) => one === layers[0]);
  });
  const perLevel = (layers: readonly number[]): unknown => {
    if (layers.every((one) => one === 0)) return 1;
    return isEven ? layers[0] : layers;
  };
  return {
    mid_block_type: middle > 0 ? 'UNetMidBlock2DCrossAttn' : middleType,
    transformer_layers_per_block: down.map(perLevel),
    ...(isEven ? {} : { reverse_transformer_layers_per_block: up.map(perLevel) }),
  };
}

/** CLIP ViT-L/14. */
function clipOf(tensors: StoredTensors): FilePart | null {
  const clip = clipTextNames(under(tensors, clipPrefix));
  return filePart(clip, clipTextConfigOf(clip, 'quick_gelu'));
}

/** OpenCLIP ViT-bigG/14, all layers and the projection. */
function openClipOf(tensors: StoredTensors): FilePart | null {
  const openClip = openClipTextNames(under(tensors, openClipPrefix));
  return filePart(openClip, {
    ...clipTextConfigOf(openClip, 'gelu'),
    architectures: ['CLIPTextModelWithProjection'],
    projection_dim: openClip.get('text_projection')?.dims[1],
  });
}

function isPartFor(folder: string, config: JsonObject, unetConfig: JsonObject): boolean {
  if (folder === 'vae') return (config['latent_channels'] ?? 4) === unetConfig['in_channels'];
  const pooled = Number(unetConfig['projection_class_embeddings_input_dim']) - timeIdCount * timeIdFeatures;
  if (folder === 'text_encoder_2') return config['projection_dim'] === pooled;
  return folder === 'text_encoder' && Number(config['hidden_size']) < Number(unetConfig['cross_attention_dim']);
}
