// Checkpoints of Stable Diffusion 1.x and 2.x in one file, as the original code and most programs after it write them.

import type { StoredTensors } from '../../tensor/stored-tensor.ts';
import type { CheckpointFile } from '../../weights/checkpoint-file.ts';
import { clipTokenizerFiles } from '../../weights/clip-tokenizer.ts';
import type { JsonObject } from '../../weights/json-file.ts';
import type { LdmSettings } from '../../weights/ldm/settings-file.ts';
import { under } from '../../weights/ldm/prefix.ts';
import { clipTextNames, openClipTextNames } from '../../weights/ldm/text-names.ts';
import { ldmUNetNames } from '../../weights/ldm/unet-names.ts';
import type { FilePart, SingleFileLayout, SingleFileParts } from '../family.ts';
import { clipTextConfigOf, countOf, scheduleOf, unetConfigOf, vaeConfigOf } from '../ldm-configs.ts';
import { contextWidth, filePart, findKey, unetPrefix } from '../ldm-parts.ts';
import type { FileShapes } from '../refused-files.ts';
import { vaeIn } from '../vae-in-file.ts';
import { findPrediction } from './prediction.ts';

const clipPrefix = 'cond_stage_model.transformer.';
const openClipPrefix = 'cond_stage_model.model.';

const scalingFactor = 0.18215;
/** OpenCLIP's ViT-H has 24 layers; Stable Diffusion 2.x reads what the last but one returns. */
const openClipLayers = 23;

/** Side of the latents: 512 x 512 pixels, and 768 x 768 for the checkpoints of 2.x that predict velocity. */
const sampleSize = { usual: 64, velocity: 96 };

export const singleFile: SingleFileLayout = { recognises, read, isPartFor };

/** By the width of the text that the UNet reads; where it is another than usual, by how transformers project. */
function recognises(tensors: FileShapes): string | null {
  if (tensors.get(`${unetPrefix}input_blocks.0.0.weight`)?.dims[1] !== 4) return null;
  if (tensors.has(`${unetPrefix}label_emb.0.0.weight`)) return null;
  const version = versionOf(tensors);
  return version === null ? null : `Stable Diffusion ${version}.x`;
}

function versionOf(tensors: FileShapes): 1 | 2 | null {
  const width = contextWidth(tensors);
  const projection = findKey(tensors, /^model\.diffusion_model\.input_blocks\.\d+\.1\.proj_in\.weight$/);
  if (width === undefined || projection === undefined || width === 2048) return null;
  if (width === 768) return 1;
  return width === 1024 || tensors.get(projection)?.dims.length === 2 ? 2 : 1;
}

async function read(file: CheckpointFile): Promise<SingleFileParts> {
  const version = versionOf(file.tensors) ?? 1;
  const unet = ldmUNetNames(under(file.tensors, unetPrefix));
  const vae = vaeIn(file.tensors);
  const latentScale = Number(file.settings.get('scale_factor') ?? scalingFactor);
  const prediction = await findPrediction(file, version);
  const isLarge = version === 2 && prediction.isVelocity;
  const unetConfig = {
    ...unetConfigOf(unet),
    ...headsFrom(file.settings),
    sample_size: isLarge ? sampleSize.velocity : sampleSize.usual,
    // Their attention leaves the range of half precision.
    upcast_attention: version === 2,
  };
  return {
    parts: new Map([
      ['unet', filePart(unet, unetConfig)],
      ['vae', filePart(vae, vaeConfigOf(vae, latentScale))],
      ['text_encoder', textOf(file.tensors)],
    ]),
    modelIndex: { _class_name: 'StableDiffusionPipeline' },
    schedulerConfig: scheduleOf(prediction),
    tokenizers: new Map([['tokenizer', clipTokenizerFiles(version === 2 ? '!' : '<|endoftext|>')]]),
    prediction: prediction.evidence,
    latentScale,
  };
}

/** Where the settings beside the file say more than is usual. */
function headsFrom(settings: LdmSettings): JsonObject {
  const heads = Number(settings.get('num_heads') ?? -1);
  return heads > 0 ? { attention_head_dim: heads } : {};
}

function textOf(tensors: StoredTensors): FilePart | null {
  const clip = clipTextNames(under(tensors, clipPrefix));
  if (clip.size > 0) return filePart(clip, clipTextConfigOf(clip, 'quick_gelu'));
  // Its projection is of no use here.
  const openClip = new Map(
    [...openClipTextNames(under(tensors, openClipPrefix))].filter(([key]) => key !== 'text_projection'),
  );
  const layers = Math.min(openClipLayers, countOf(openClip, 'text_model.encoder.layers.'));
  const used = new Map([...openClip].filter(([key]) => layerOf(key) < layers));
  return filePart(used, clipTextConfigOf(used, 'gelu', layers));
}

/** -1 for what is outside of layers. */
function layerOf(key: string): number {
  return Number(/^text_model\.encoder\.layers\.(\d+)\./.exec(key)?.[1] ?? -1);
}

function isPartFor(folder: string, config: JsonObject, others: ReadonlyMap<string, JsonObject>): boolean {
  const unet = others.get('unet');
  if (folder === 'text_encoder') return config['hidden_size'] === unet?.['cross_attention_dim'];
  return folder === 'vae' && (config['latent_channels'] ?? 4) === unet?.['in_channels'];
}
