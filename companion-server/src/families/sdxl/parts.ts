// What a checkpoint of Stable Diffusion XL is made of, and how other kinds of these networks are refused: by what their
// configs say, before any weight is looked at.

import type { CheckpointLayout } from '../../weights/checkpoint.ts';
import type { PartLayout } from '../../weights/component.ts';
import { modernVaeNames } from '../../weights/vae-attention-names.ts';
import { requireClass, requirePlainInput } from '../stable-diffusion/parts.ts';

export const title = 'Stable Diffusion XL';

/** By folder. */
export const parts = {
  unet: {
    folder: 'unet',
    stem: 'diffusion_pytorch_model',
    requireKind: (dir, config) => {
      requireClass(dir, 'unet', config, ['UNet2DConditionModel'], title);
      requirePlainInput(dir, config, title);
    },
  },
  vae: {
    folder: 'vae',
    stem: 'diffusion_pytorch_model',
    requireKind: (dir, config) => requireClass(dir, 'vae', config, ['AutoencoderKL'], title),
    rename: modernVaeNames,
  },
  /** CLIP ViT-L/14. */
  text_encoder: {
    folder: 'text_encoder',
    stem: 'model',
    requireKind: (dir, config) =>
      requireClass(dir, 'text_encoder', config, ['CLIPTextModel', 'CLIPTextModelWithProjection'], title),
  },
  /** OpenCLIP ViT-bigG/14, whose projection gives the embedding of the whole prompt. */
  text_encoder_2: {
    folder: 'text_encoder_2',
    stem: 'model',
    requireKind: (dir, config) => requireClass(dir, 'text_encoder_2', config, ['CLIPTextModelWithProjection'], title),
  },
} as const satisfies Readonly<Record<string, PartLayout>>;

/** The text encoders in the order in which the UNet reads their tokens, side by side. */
export const encoders = [
  { part: 'text_encoder', tokenizer: 'tokenizer' },
  { part: 'text_encoder_2', tokenizer: 'tokenizer_2' },
] as const;

export const layout: CheckpointLayout = {
  parts: [parts.unet, parts.vae, parts.text_encoder, parts.text_encoder_2],
  tokenizers: encoders.map(({ tokenizer }) => tokenizer),
};
