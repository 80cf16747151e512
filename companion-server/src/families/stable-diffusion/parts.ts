// What a checkpoint of Stable Diffusion 1.x or 2.x is made of, and how other kinds of these networks are refused: by what
// their configs say, before any weight is looked at.

import type { EditError } from '../../errors.ts';
import type { CheckpointLayout } from '../../weights/checkpoint.ts';
import type { PartLayout } from '../../weights/component.ts';
import type { JsonObject } from '../../weights/json-file.ts';
import { unsupported } from '../../weights/unsupported.ts';
import { modernVaeNames } from '../../weights/vae-attention-names.ts';
import { classNameOf } from '../class-name.ts';

export const title = 'Stable Diffusion 1.x or 2.x';

/** UNets by their number of input channels (4 of them are the noisy latents). */
const otherInputChannels: Readonly<Record<number, string>> = {
  5: 'a depth-guided model: its UNet takes 5 input channels',
  7: 'an upscaler: its UNet takes 7 input channels',
  8: 'an InstructPix2Pix or image-to-video model: its UNet takes 8 input channels',
  9: 'an inpainting model: its UNet takes 9 input channels',
};

/** By folder. */
export const parts = {
  unet: {
    folder: 'unet',
    stem: 'diffusion_pytorch_model',
    requireKind: (dir, config) => {
      requireClass(dir, 'unet', config, ['UNet2DConditionModel']);
      requireTextToImage(dir, config);
    },
  },
  vae: {
    folder: 'vae',
    stem: 'diffusion_pytorch_model',
    requireKind: (dir, config) => requireClass(dir, 'vae', config, ['AutoencoderKL']),
    rename: modernVaeNames,
  },
  text_encoder: {
    folder: 'text_encoder',
    stem: 'model',
    requireKind: (dir, config) =>
      requireClass(dir, 'text_encoder', config, ['CLIPTextModel', 'CLIPTextModelWithProjection']),
  },
} as const satisfies Readonly<Record<string, PartLayout>>;

export const layout: CheckpointLayout = {
  parts: [parts.unet, parts.vae, parts.text_encoder],
  tokenizers: ['tokenizer'],
};

/**
 * Refuses another class of network than those named with EditError('model-unsupported').
 * @param family whose part it would be, for the sentence of what to take instead
 */
export function requireClass(
  dir: string,
  part: string,
  config: JsonObject,
  classes: readonly string[],
  family = title,
): void {
  const architectures = config['architectures'];
  const className: unknown = classNameOf(config) ?? (Array.isArray(architectures) ? architectures[0] : undefined);
  if (className !== undefined && !classes.some((known) => known === className)) {
    throw otherKind(dir, `${part} must be ${classes.join(' or ')}, is ${JSON.stringify(className)}`, family);
  }
}

/** Refuses UNets that take more than noisy latents with EditError('model-unsupported'). `family` as above. */
export function requirePlainInput(dir: string, config: JsonObject, family = title): void {
  const inputChannels = config['in_channels'];
  const kind = typeof inputChannels === 'number' ? otherInputChannels[inputChannels] : undefined;
  if (kind !== undefined) throw otherKind(dir, `this is ${kind}`, family);
}

function requireTextToImage(dir: string, config: JsonObject): void {
  requirePlainInput(dir, config);
  const addition = config['addition_embed_type'] ?? undefined;
  if (addition !== undefined) {
    const sdxl = addition === 'text_time' ? 'this is Stable Diffusion XL: ' : '';
    throw otherKind(dir, `${sdxl}its UNet has addition_embed_type ${JSON.stringify(addition)}`);
  }
}

function otherKind(dir: string, reason: string, family = title): EditError {
  return unsupported(dir, reason, `a text-to-image checkpoint of ${family}`);
}
