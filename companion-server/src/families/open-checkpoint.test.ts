import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { partOf } from '../weights/checkpoint.ts';
import { checkpointFiles, writeFiles } from '../weights/testing/made-checkpoint.ts';
import { fileBytes, halfFileBytes } from '../weights/testing/made-files.ts';
import { openCheckpoint } from './open-checkpoint.ts';
import { stableDiffusion } from './stable-diffusion/family.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  await writeFiles(dir, checkpointFiles());
});
afterEach(() => rm(dir, { recursive: true }));

const json = (value: object) => JSON.stringify(value);

it('opens a whole checkpoint', async () => {
  const checkpoint = await openCheckpoint(dir);
  expect(checkpoint.dir).toBe(dir);
  expect(checkpoint.family).toBe(stableDiffusion);
  expect([...checkpoint.parts.keys()]).toEqual(['unet', 'vae', 'text_encoder']);
  const unet = partOf(checkpoint, 'unet').weights;
  expect([...unet.tensors.keys()]).toEqual(['conv_in.weight']);
  expect((await unet.stored()).get('conv_in.weight')).toMatchObject({
    dtype: 'float16',
    dims: [2, 4, 3, 3],
    byteLength: 144,
    file: join(dir, 'unet', 'diffusion_pytorch_model.safetensors'),
  });
  expect(partOf(checkpoint, 'vae').weights.tensors.size).toBe(1);
  expect(partOf(checkpoint, 'text_encoder').config).toEqual({ architectures: ['CLIPTextModel'] });
  expect(checkpoint.schedulerConfig).toEqual({ num_train_timesteps: 1000 });
  expect(checkpoint.tokenizers.get('tokenizer')).toEqual({ 'vocab.json': '{}', 'merges.txt': '#version: 0.2\n' });
});

it('opens one whose pipeline is a class of code of its own, and whose scheduler has infinite numbers', async () => {
  await writeFiles(dir, {
    'model_index.json': json({ _class_name: ['pipeline', 'StableDiffusionPipeline'] }),
    'scheduler/scheduler_config.json':
      '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}',
  });
  expect((await openCheckpoint(dir)).schedulerConfig).toMatchObject({ lambda_min_clipped: '-Infinity' });
});

describe('refuses by name', () => {
  const pipelines: [string, string][] = [
    ['StableDiffusionXLPipeline', 'is Stable Diffusion XL without its two text encoders'],
    ['StableDiffusionXLInpaintPipeline', 'an inpainting model'],
    ['StableDiffusionXLControlNetPipeline', 'a model with extra control inputs'],
    ['StableDiffusion3Pipeline', 'is Stable Diffusion 3'],
    ['FluxPipeline', 'is Flux'],
    ['StableDiffusionInpaintPipeline', 'an inpainting model'],
    ['StableDiffusionDepth2ImgPipeline', 'a depth-guided model'],
    ['StableDiffusionUpscalePipeline', 'an upscaler'],
    ['StableDiffusionLatentUpscalePipeline', 'an upscaler'],
    ['LDMSuperResolutionPipeline', 'an upscaler'],
    ['StableDiffusionInstructPix2PixPipeline', 'InstructPix2Pix'],
    ['StableVideoDiffusionPipeline', 'an image-to-video model'],
    ['TextToVideoSDPipeline', 'a video model'],
    ['SomethingNewPipeline', 'SomethingNewPipeline is not a pipeline that is known here'],
  ];
  it('what it is, and what to use instead', async () => {
    await writeFiles(dir, { 'model_index.json': json({ _class_name: 'FluxPipeline' }) });
    const fault = {
      hint: expect.stringContaining(
        'checkpoint of Stable Diffusion 1.x or 2.x or Stable Diffusion XL in the',
      ) as string,
    };
    await expect(openCheckpoint(dir)).rejects.toMatchObject(fault);
    const both = { hint: expect.stringContaining('Stable Diffusion 1.x or 2.x or Something Else in the') as string };
    const other = { ...stableDiffusion, title: 'Something Else', recognises: () => false };
    await expect(openCheckpoint(dir, { families: [stableDiffusion, other] })).rejects.toMatchObject(both);
  });

  it.each(pipelines)('%s', async (className, message) => {
    await writeFiles(dir, { 'model_index.json': json({ _class_name: className }) });
    await expect(openCheckpoint(dir)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining(message) as string,
    });
  });

  const files: [string, string, object, string][] = [
    [
      'two text encoders',
      'model_index.json',
      { _class_name: 'StableDiffusionPipeline', text_encoder_2: [] },
      'two text encoders',
    ],
    [
      'SDXL conditioning',
      'unet/config.json',
      { in_channels: 4, addition_embed_type: 'text_time' },
      'Stable Diffusion XL',
    ],
    ['other conditioning', 'unet/config.json', { addition_embed_type: 'image' }, 'addition_embed_type "image"'],
    ['9 channels', 'unet/config.json', { in_channels: 9 }, 'an inpainting model: its UNet takes 9'],
    ['5 channels', 'unet/config.json', { in_channels: 5 }, 'a depth-guided model'],
    ['7 channels', 'unet/config.json', { in_channels: 7 }, 'an upscaler'],
    ['8 channels', 'unet/config.json', { in_channels: 8 }, 'image-to-video'],
    [
      'a 3D UNet',
      'unet/config.json',
      { _class_name: 'UNet3DConditionModel' },
      'unet must be UNet2DConditionModel, is "UNet3DConditionModel"',
    ],
    ['a tiny VAE', 'vae/config.json', { _class_name: 'AutoencoderTiny' }, 'vae must be AutoencoderKL'],
    ['another text encoder', 'text_encoder/config.json', { architectures: ['T5EncoderModel'] }, 'is "T5EncoderModel"'],
  ];
  it.each(files)('%s', async (_, file, content, message) => {
    await writeFiles(dir, { [file]: json(content) });
    await expect(openCheckpoint(dir)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining(message) as string,
    });
  });

  it('the whole of a checkpoint inside a part', async () => {
    const ldm = halfFileBytes({ 'first_stage_model.decoder.conv_in.weight': [1] });
    await writeFiles(dir, { 'vae/diffusion_pytorch_model.safetensors': ldm });
    await expect(openCheckpoint(dir)).rejects.toThrow('is a whole checkpoint in one file');
  });

  it('a file of another kind, a pickle whatever it is called, GGUF', async () => {
    const torch = Uint8Array.of(0x50, 0x4b, 0x03, 0x04, 0);
    await writeFiles(dir, { 'notes.txt': 'hello', 'model.ckpt': 'pickle', 'renamed.safetensors': torch });
    await writeFiles(dir, { 'model.gguf': 'GGUF0000', 'empty.safetensors': '' });
    const refusals: [string, string, string][] = [
      ['notes.txt', 'must end in .safetensors', 'Name a .safetensors file'],
      ['model.ckpt', 'is a pickle', 'safe_serialization=True'],
      ['renamed.safetensors', 'is a pickle', 'safe_serialization=True'],
      ['model.gguf', 'is quantised (GGUF)', 'Use a checkpoint'],
      ['empty.safetensors', 'needs at least 8 bytes', 'download it again'],
    ];
    for (const [name, message, hint] of refusals) {
      await expect(openCheckpoint(join(dir, name))).rejects.toMatchObject({
        message: expect.stringContaining(message) as string,
        hint: expect.stringContaining(hint) as string,
      });
    }
  });
});

it('says which files of a folder are checkpoints in one file', async () => {
  const folder = join(dir, 'single');
  await writeFiles(folder, { 'b.safetensors': '', 'a.safetensors': '' });
  await expect(openCheckpoint(folder)).rejects.toMatchObject({
    code: 'model-missing',
    hint: expect.stringContaining('there is a.safetensors and 1 more') as string,
  });
});

describe('says which file is missing', () => {
  const cases = [
    'model_index.json',
    'unet/config.json',
    'unet/diffusion_pytorch_model.safetensors',
    'vae/diffusion_pytorch_model.safetensors',
    'text_encoder/model.safetensors',
    'scheduler/scheduler_config.json',
    'tokenizer/vocab.json',
    'tokenizer/merges.txt',
  ];
  it.each(cases)('%s', async (name) => {
    await unlink(join(dir, name));
    await expect(openCheckpoint(dir)).rejects.toMatchObject({
      code: 'model-missing',
      message: expect.stringContaining(join(dir, name)) as string,
    });
  });

  it('a whole component, a whole checkpoint', async () => {
    await rm(join(dir, 'vae'), { recursive: true });
    await expect(openCheckpoint(dir)).rejects.toThrow(join(dir, 'vae', 'config.json'));
    await expect(openCheckpoint(join(dir, 'none'))).rejects.toMatchObject({
      code: 'model-missing',
    });
  });
});

describe('calls damaged', () => {
  it('a truncated weight file', async () => {
    const whole = halfFileBytes({ 'conv_in.weight': [2, 4, 3, 3] });
    const file = 'unet/diffusion_pytorch_model.safetensors';
    await writeFiles(dir, { [file]: whole.subarray(0, -1) });
    await expect(openCheckpoint(dir)).rejects.toMatchObject({
      code: 'model-damaged',
      message: expect.stringContaining(join(dir, file)) as string,
    });
  });

  it.each(['model_index.json', 'unet/config.json', 'scheduler/scheduler_config.json'])(
    '%s that is no JSON object',
    async (name) => {
      for (const content of ['{', '[]', '', 'null', 'hello']) {
        await writeFile(join(dir, name), content);
        await expect(openCheckpoint(dir)).rejects.toMatchObject({
          code: 'model-damaged',
          message: expect.stringContaining(join(dir, name)) as string,
        });
      }
    },
  );

  it('a model_index.json without a class name', async () => {
    await writeFiles(dir, { 'model_index.json': '{}' });
    await expect(openCheckpoint(dir)).rejects.toThrow('has no _class_name');
  });
});

it('refuses weights of a dtype that no network takes, and ignores position_ids', async () => {
  const file = 'text_encoder/model.safetensors';
  const integers = (name: string) => fileBytes('I64', { [name]: [2] }, () => new Array<number>(8).fill(0));
  await writeFiles(dir, { [file]: integers('text_model.embeddings.position_ids') });
  expect(partOf(await openCheckpoint(dir), 'text_encoder').weights.tensors.size).toBe(0);
  await writeFiles(dir, { [file]: integers('text_model.final_layer_norm.bias') });
  await expect(openCheckpoint(dir)).rejects.toThrow(
    'tensor "text_model.final_layer_norm.bias": weights must be F32, F16, BF16 or F8, got I64',
  );
});
