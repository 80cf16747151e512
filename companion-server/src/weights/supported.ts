// Which checkpoints are Stable Diffusion 1.x or 2.x, and how the others are refused: by the names in their config
// files, before any weight is looked at.

import { EditError } from '../errors.ts';
import type { JsonObject } from './json-file.ts';

/** A part of a checkpoint with weights of its own, by the name of its folder. */
export type ComponentName = 'unet' | 'vae' | 'text_encoder';

/** Pipelines whose weights are those of text-to-image Stable Diffusion. */
const supportedPipelines = [
  'StableDiffusionPipeline',
  'StableDiffusionImg2ImgPipeline',
  'StableDiffusionLongPromptWeightingPipeline',
];

/** Pipelines by the start of their class name, and what they are; the first that fits is taken. */
const otherPipelines: readonly (readonly [RegExp, string])[] = [
  [/^StableDiffusionXL/, 'Stable Diffusion XL'],
  [/^StableDiffusion3/, 'Stable Diffusion 3'],
  [/^Flux/, 'Flux'],
  [/Inpaint/, 'an inpainting model'],
  [/Depth2Img/, 'a depth-guided model'],
  [/Upscale/, 'an upscaler'],
  [/InstructPix2Pix/, 'InstructPix2Pix'],
  [/^StableVideoDiffusion/, 'Stable Video Diffusion, an image-to-video model'],
  [/Video|AnimateDiff/, 'a video model'],
  [/ImageVariation|UnCLIP/i, 'an image-variation model'],
  [/LatentConsistency/, 'a latent consistency model'],
  [/ControlNet|Adapter|GLIGEN/, 'a model with extra control inputs'],
];

/** UNets by their number of input channels (4 of them are the noisy latents). */
const otherInputChannels: Readonly<Record<number, string>> = {
  5: 'a depth-guided model: its UNet takes 5 input channels',
  7: 'an upscaler: its UNet takes 7 input channels',
  8: 'an InstructPix2Pix or image-to-video model: its UNet takes 8 input channels',
  9: 'an inpainting model: its UNet takes 9 input channels',
};

const componentClasses: Readonly<Record<ComponentName, readonly string[]>> = {
  unet: ['UNet2DConditionModel'],
  vae: ['AutoencoderKL'],
  text_encoder: ['CLIPTextModel', 'CLIPTextModelWithProjection'],
};

/** Refuses the model_index.json of anything but SD 1.x and 2.x with EditError('model-unsupported'). */
export function requireSupportedPipeline(dir: string, modelIndex: JsonObject): void {
  const className = modelIndex['_class_name'];
  if (typeof className !== 'string') {
    throw new EditError('model-damaged', `${dir}/model_index.json: has no _class_name.`, {
      hint: 'Download the file again.',
    });
  }
  if ('text_encoder_2' in modelIndex && !className.startsWith('StableDiffusion3')) {
    throw unsupported(dir, `${className} is Stable Diffusion XL: it has two text encoders`);
  }
  if (supportedPipelines.includes(className)) return;
  const kind = otherPipelines.find(([pattern]) => pattern.test(className))?.[1];
  throw unsupported(dir, `${className} is ${kind ?? 'not a pipeline that is known here'}`);
}

/** Refuses the config.json of another kind of network with EditError('model-unsupported'). */
export function requireSupportedComponent(dir: string, name: ComponentName, config: JsonObject): void {
  const architectures = config['architectures'];
  const className: unknown = config['_class_name'] ?? (Array.isArray(architectures) ? architectures[0] : undefined);
  const classes = componentClasses[name];
  if (className !== undefined && !classes.some((known) => known === className)) {
    throw unsupported(dir, `${name} must be ${classes.join(' or ')}, is ${JSON.stringify(className)}`);
  }
  if (name === 'unet') requireTextToImage(dir, config);
}

function requireTextToImage(dir: string, config: JsonObject): void {
  const inputChannels = config['in_channels'];
  const kind = typeof inputChannels === 'number' ? otherInputChannels[inputChannels] : undefined;
  if (kind !== undefined) throw unsupported(dir, `this is ${kind}`);
  const addition = config['addition_embed_type'] ?? undefined;
  if (addition !== undefined) {
    const sdxl = addition === 'text_time' ? 'this is Stable Diffusion XL: ' : '';
    throw unsupported(dir, `${sdxl}its UNet has addition_embed_type ${JSON.stringify(addition)}`);
  }
}

/** The refusal of a checkpoint that is something else. `reason` begins in lower case or with a name. */
export function unsupported(path: string, reason: string): EditError {
  return new EditError('model-unsupported', `${path}: ${reason}; it is not supported.`, {
    hint: 'Use a text-to-image checkpoint of Stable Diffusion 1.x or 2.x in the diffusers folder format.',
  });
}
