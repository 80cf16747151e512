// What checkpoints of no family are, by the class of their pipeline: a refusal says it by name.

import { EditError } from '../errors.ts';
import type { CheckpointFolder } from '../weights/checkpoint.ts';
import { unsupported } from '../weights/unsupported.ts';
import { classNameOf } from './class-name.ts';
import type { ModelFamily } from './family.ts';
import { title as sdxl } from './sdxl/parts.ts';

/** Pipelines by the start of their class name, and what they are; the first that fits is taken. */
const otherPipelines: readonly (readonly [RegExp, string])[] = [
  [/^StableDiffusion3/, 'Stable Diffusion 3'],
  [/^Flux/, 'Flux'],
  [/Inpaint/, 'an inpainting model'],
  [/Depth2Img/, 'a depth-guided model'],
  [/Upscale|SuperResolution/, 'an upscaler'],
  [/InstructPix2Pix/, 'InstructPix2Pix'],
  [/^StableVideoDiffusion/, 'Stable Video Diffusion, an image-to-video model'],
  [/Video|AnimateDiff/, 'a video model'],
  [/ImageVariation|UnCLIP/i, 'an image-variation model'],
  [/LatentConsistency/, 'a latent consistency model'],
  [/ControlNet|Adapter|GLIGEN/, 'a model with extra control inputs'],
  [/^StableDiffusionXL/, 'Stable Diffusion XL without its two text encoders, such as its refiner'],
];

/** 'model-unsupported' with what the checkpoint is and which `families` there are; 'model-damaged' where its model_index.json does not say. */
export function refusalOf({ dir, modelIndex }: CheckpointFolder, families: readonly ModelFamily[]): EditError {
  const className = classNameOf(modelIndex);
  if (className === undefined) {
    return new EditError('model-damaged', `${dir}/model_index.json: has no _class_name.`, {
      hint: 'Download the file again.',
    });
  }
  const instead = `a text-to-image checkpoint of ${families.map(({ title }) => title).join(' or ')}`;
  const kind = otherPipelines.find(([pattern]) => pattern.test(className))?.[1];
  if (kind === undefined && 'text_encoder_2' in modelIndex) {
    return unsupported(dir, `${className} has two text encoders, which only ${sdxl} may have here`, instead);
  }
  return unsupported(dir, `${className} is ${kind ?? 'not a pipeline that is known here'}`, instead);
}
