// Stable Diffusion XL (arXiv 2307.01952), text to image, and the smaller networks that were made out of it.

import { parseSchedulerConfig } from '../../diffusion/scheduler-config.ts';
import { controlNetwork } from '../../nets/controlnet.ts';
import { partOf, type Checkpoint } from '../../weights/checkpoint.ts';
import { classNameOf } from '../class-name.ts';
import { parseControlNetConfig } from '../controlnet-config.ts';
import type { ModelFamily, ModelOutline } from '../family.ts';
import { misfit } from '../misfit.ts';
import { autoencoder } from '../stable-diffusion/autoencoder.ts';
import { parseProjection, parseTextConfig, parseVaeConfig } from './configs.ts';
import { encoders, layout, title } from './parts.ts';
import { encodePrompts, promptEncoders } from './prompts.ts';
import { singleFile } from './single-file.ts';
import { timeIdCount, timeIdsOf } from './time-ids.ts';
import { parseUNetConfig } from './unet-config.ts';
import { denoisingUNet, unetConditioning } from './unet.ts';

/** Pipelines whose weights are those of text-to-image Stable Diffusion XL. */
const pipelines: readonly (string | undefined)[] = ['StableDiffusionXLPipeline', 'StableDiffusionXLImg2ImgPipeline'];

/** CLIP's length of prompts. */
const promptTokens = 77;

export const sdxl: ModelFamily = {
  title,
  layout,
  recognises: ({ modelIndex }) =>
    pipelines.includes(classNameOf(modelIndex)) && encoders.every(({ part }) => isNamed(modelIndex[part])),
  outline,
  controlNetwork(json) {
    const config = parseControlNetConfig(json, parseUNetConfig);
    return controlNetwork(config, unetConditioning(config.unet));
  },
  singleFile,
};

/** The refiner's pipeline names its first text encoder as [null, null]. */
function isNamed(part: unknown): boolean {
  return Array.isArray(part) && part.every((entry) => typeof entry === 'string');
}

function outline(checkpoint: Checkpoint): ModelOutline {
  const configOf = (part: string) => partOf(checkpoint, part).config;
  const texts = encoders.map(({ part }) => parseTextConfig(configOf(part), part));
  const { part: pooling } = encoders[1];
  const projection = parseProjection(configOf(pooling), pooling);
  const unet = parseUNetConfig(configOf('unet'));
  const vae = parseVaeConfig(configOf('vae'));
  const fail = (rule: string): never => {
    throw misfit('model-unsupported', `${checkpoint.dir}: ${rule}.`);
  };
  if (unet.latentChannels !== vae.latentChannels) {
    fail(`the UNet works on ${unet.latentChannels} latent channels, the VAE on ${vae.latentChannels}`);
  }
  const textWidth = texts.reduce((sum, { hiddenSize }) => sum + hiddenSize, 0);
  if (unet.crossAttentionDim !== textWidth) {
    fail(`the UNet reads text of width ${unet.crossAttentionDim}, the text encoders write ${textWidth}`);
  }
  const added = projection + timeIdCount * unet.timeIdFeatures;
  if (unet.addedFeatures !== added) {
    fail(
      `the UNet reads ${unet.addedFeatures} added features; a prompt's embedding and ${timeIdCount} numbers about the picture are ${added}`,
    );
  }
  const trainingSide = unet.sampleSize * vae.downscale;
  return {
    unet: denoisingUNet(unet),
    vae: { ...autoencoder(vae), precision: vae.needsSinglePrecision ? 'single' : 'device' },
    weights: {
      unet: partOf(checkpoint, 'unet').weights,
      vae: partOf(checkpoint, 'vae').weights,
      text: encoders.map(({ part }) => partOf(checkpoint, part).weights),
    },
    scheduler: parseSchedulerConfig(checkpoint.schedulerConfig),
    sizeMultiple: vae.downscale * 2 ** (unet.blockChannels.length - 1),
    trainingSide,
    promptTokens,
    defaults: { guidance: 5, steps: 20 },
    createConditioner: (embeddings) => {
      const made = promptEncoders(
        checkpoint,
        texts.map((config, i) => ({ config, projection: encoders[i]?.part === pooling ? projection : null })),
        embeddings,
      );
      const zeroesEmpty = checkpoint.modelIndex['force_zeros_for_empty_prompt'] !== false;
      return {
        overflowOf: (prompt) =>
          made.map(({ tokenizer }) => tokenizer.encode(prompt).overflow).find((end) => end !== null) ?? null,
        // Both encoders have the same tokens at the same places.
        placesOf: (prompt, words) => made[0]?.tokenizer.placesOf(prompt, words) ?? [],
        async conditioning(prompts, size, run) {
          const timeIds = timeIdsOf(size, trainingSide);
          const encoded = await encodePrompts(checkpoint, made, prompts, zeroesEmpty, run);
          return encoded.map((prompt) => ({ ...prompt, timeIds }));
        },
      };
    },
  };
}
