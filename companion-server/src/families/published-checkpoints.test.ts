// Folders as they are published, with the true keys and sizes: each can be edited with, or is refused by what it is.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writePublished, type Published } from '../../../test/fixtures/published-checkpoints.ts';
import { ddim, epsilon, euler, pndm, same, sd, velocity, xl } from './testing/published.ts';
import { readingOf } from './testing/reading-of.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'published-'));
});
afterEach(() => rm(dir, { recursive: true }));

const published: readonly (readonly [string, Published, string])[] = [
  [
    'the first 1.4, its configs written anew by three versions',
    {
      family: 'sd1',
      ages: { index: 2, unet: 12, vae: 2, scheduler: 7 },
      vae: { scaling_factor: 0.18215 },
      scheduler: pndm,
    },
    `${sd}, 512 px, epsilon, leading`,
  ],
  ['1.5', { family: 'sd1', ages: same(6), scheduler: pndm }, `${sd}, 512 px, epsilon, leading`],
  [
    'a style that was trained on 1.5',
    {
      family: 'sd1',
      ages: { ...same(9), index: 6 },
      vae: { scaling_factor: 0.18215 },
      scheduler: { ...pndm, clip_sample: undefined },
    },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'three styles in one',
    { family: 'sd1', ages: same(8), vae: { sample_size: 256 }, scheduler: pndm },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'a style of diffusers 0.7',
    { family: 'sd1', ages: same(7), vae: { sample_size: 256 }, scheduler: pndm },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'portraits',
    { family: 'sd1', ages: same(11), scheduler: { ...pndm, ...epsilon } },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'drawings',
    { family: 'sd1', ages: same(10), vae: { sample_size: 256 }, scheduler: { ...ddim, ...epsilon } },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'icons, trained at 256 pixels',
    {
      family: 'sd1',
      ages: same(11),
      unet: { sample_size: 32 },
      vae: { sample_size: 256 },
      scheduler: { ...ddim, ...epsilon },
    },
    `${sd}, 256 px, epsilon, leading`,
  ],
  [
    'characters, saved with the scheduler of the training',
    {
      family: 'sd1',
      ages: same(13),
      scheduler: { _class_name: 'DDPMScheduler', ...epsilon, variance_type: 'fixed_small', clip_sample_range: 1 },
    },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'photographs, of diffusers 0.25',
    { family: 'sd1', ages: same(25), scheduler: { ...pndm, ...epsilon, timestep_spacing: 'leading' } },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'one for 640 pixels, of diffusers 0.28',
    {
      family: 'sd1',
      ages: same(28),
      unet: { sample_size: 80 },
      scheduler: {
        ...ddim,
        ...epsilon,
        rescale_betas_zero_snr: false,
        thresholding: false,
        timestep_spacing: 'leading',
      },
    },
    `${sd}, 640 px, epsilon, leading`,
  ],
  [
    '2.1 base',
    {
      family: 'sd2',
      ages: same(10),
      unet: { upcast_attention: undefined },
      vae: { sample_size: 768 },
      scheduler: { ...pndm, ...epsilon },
    },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    'animations, from 2.x',
    { family: 'sd2', ages: same(10), scheduler: { ...pndm, ...epsilon } },
    `${sd}, 512 px, epsilon, leading`,
  ],
  [
    '2.1',
    {
      family: 'sd2',
      ages: { index: 8, unet: 10, vae: 8, scheduler: 8 },
      unet: { sample_size: 96, upcast_attention: true },
      vae: { sample_size: 768 },
      scheduler: { ...ddim, ...velocity },
    },
    `${sd}, 768 px, v_prediction, leading`,
  ],
  [
    '2.1 in half precision',
    {
      family: 'sd2',
      ages: same(10),
      unet: { sample_size: 96, upcast_attention: true },
      vae: { sample_size: 768 },
      scheduler: { ...ddim, ...velocity },
    },
    `${sd}, 768 px, v_prediction, leading`,
  ],
  [
    'XL, whose VAE has the scale of 1.x',
    {
      family: 'sdxl',
      ages: same(18),
      vae: { sample_size: 256 },
      scheduler: { ...euler, _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'leading' },
    },
    `${xl}, 1024 px, epsilon, leading`,
  ],
  [
    'a style of XL',
    {
      family: 'sdxl',
      ages: { ...same(24), scheduler: 25 },
      vae: { sample_size: 1024, scaling_factor: 0.13025 },
      scheduler: {
        ...euler,
        _class_name: 'EulerAncestralDiscreteScheduler',
        timestep_spacing: 'leading',
        timestep_type: 'discrete',
      },
    },
    `${xl}, 1024 px, epsilon, leading`,
  ],
  [
    'XL Turbo',
    {
      family: 'sdxl',
      ages: same(24),
      unet: { sample_size: 64, upcast_attention: null },
      vae: { sample_size: 1024, scaling_factor: 0.13025 },
      scheduler: { ...euler, _class_name: 'EulerAncestralDiscreteScheduler', timestep_spacing: 'trailing' },
    },
    `${xl}, 512 px, epsilon, trailing, few steps`,
  ],
  [
    'inpainting',
    {
      family: 'sd1',
      ages: same(6),
      pipeline: 'StableDiffusionInpaintPipeline',
      unet: { in_channels: 9 },
      scheduler: ddim,
    },
    'model-unsupported: DIR: StableDiffusionInpaintPipeline is an inpainting model; it is not supported.',
  ],
  [
    'the upscaler of latent diffusion',
    {
      family: 'sd1',
      ages: same(8),
      pipeline: 'LDMSuperResolutionPipeline',
      unet: { _class_name: 'UNet2DModel' },
      scheduler: ddim,
    },
    'model-unsupported: DIR: LDMSuperResolutionPipeline is an upscaler; it is not supported.',
  ],
];

// On Windows a hole in a file takes room.
it.skipIf(process.platform === 'win32').each(published)('%s', async (_title, folder, expected) => {
  expect(await readingOf(await writePublished(dir, folder))).toBe(expected);
});
