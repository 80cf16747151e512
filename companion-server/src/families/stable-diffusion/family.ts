// Stable Diffusion 1.x and 2.x, text to image.

import { parseSchedulerConfig } from '../../diffusion/scheduler-config.ts';
import type { ClipTextConfig } from '../../nets/clip-text-encoder.ts';
import type { UNetConfig } from '../../nets/unet-blocks.ts';
import type { VaeConfig } from '../../nets/vae.ts';
import { controlNetwork } from '../../nets/controlnet.ts';
import { partOf, type Checkpoint } from '../../weights/checkpoint.ts';
import { classNameOf } from '../class-name.ts';
import { parseControlNetConfig } from '../controlnet-config.ts';
import type { ModelFamily, ModelOutline } from '../family.ts';
import { misfit } from '../misfit.ts';
import { wordsOfEncoder } from '../prompt-embeddings.ts';
import { autoencoder } from './autoencoder.ts';
import { parseClipTextConfig } from './clip-text-config.ts';
import { denoisingUNet, unetConditioning } from './unet.ts';
import { layout, title } from './parts.ts';
import { encodePrompts, promptTokenizer } from './prompts.ts';
import { singleFile } from './single-file.ts';
import { parseUNetConfig } from './unet-config.ts';
import { parseVaeConfig } from './vae-config.ts';

/** Pipelines whose weights are those of text-to-image Stable Diffusion. */
const pipelines: readonly (string | undefined)[] = [
  'StableDiffusionPipeline',
  'StableDiffusionImg2ImgPipeline',
  'StableDiffusionLongPromptWeightingPipeline',
];

/** CLIP's length of prompts. */
const promptTokens = 77;

export const stableDiffusion: ModelFamily = {
  title,
  layout,
  recognises: ({ modelIndex }) => pipelines.includes(classNameOf(modelIndex)) && !('text_encoder_2' in modelIndex),
  outline,
  controlNetwork(json) {
    const config = parseControlNetConfig(json, parseUNetConfig);
    return controlNetwork(config, unetConditioning(config.unet));
  },
  singleFile,
};

function outline(checkpoint: Checkpoint): ModelOutline {
  const text = parseClipTextConfig(partOf(checkpoint, 'text_encoder').config);
  const unet = parseUNetConfig(partOf(checkpoint, 'unet').config);
  const vae = parseVaeConfig(partOf(checkpoint, 'vae').config);
  requireFittingParts(checkpoint.dir, unet, vae, text);
  return {
    unet: denoisingUNet(unet, unet.injectionPoints),
    vae: autoencoder(vae),
    weights: {
      unet: partOf(checkpoint, 'unet').weights,
      vae: partOf(checkpoint, 'vae').weights,
      text: [partOf(checkpoint, 'text_encoder').weights],
    },
    scheduler: parseSchedulerConfig(checkpoint.schedulerConfig),
    sizeMultiple: vae.downscale * 2 ** (unet.blockChannels.length - 1),
    trainingSide: unet.sampleSize * vae.downscale,
    promptTokens,
    defaults: { guidance: 7.5, steps: 20 },
    createConditioner: (embeddings = []) => {
      const { words, vectors } = wordsOfEncoder(embeddings, { width: text.hiddenSize, vocabSize: text.vocabSize });
      const tokenizer = promptTokenizer(checkpoint, text, words);
      return {
        overflowOf: (prompt) => tokenizer.encode(prompt).overflow,
        placesOf: (prompt, words) => tokenizer.placesOf(prompt, words),
        conditioning: (prompts, _size, run) => encodePrompts(checkpoint, text, tokenizer, prompts, run, vectors),
      };
    },
  };
}

function requireFittingParts(dir: string, unet: UNetConfig, vae: VaeConfig, text: ClipTextConfig): void {
  const fail = (rule: string): never => {
    throw misfit('model-unsupported', `${dir}: ${rule}.`);
  };
  if (unet.latentChannels !== vae.latentChannels) {
    fail(`the UNet works on ${unet.latentChannels} latent channels, the VAE on ${vae.latentChannels}`);
  }
  if (unet.crossAttentionDim !== text.hiddenSize) {
    fail(`the UNet reads text of width ${unet.crossAttentionDim}, the text encoder writes ${text.hiddenSize}`);
  }
}
