// Pictures of latents as a user would see them while an edit is made.

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { readRaw, writeRaw } from '../../../../test/fixtures/single-file.ts';
import { generate, randomTensor } from '../../../../test/run-graph.ts';
import { createSharedSession, releaseSharedSessions } from '../../../../test/shared-sessions.ts';
import { preferredExecution } from '../../onnx/execution.ts';
import { openSafetensors, readTensor } from '../../weights/safetensors.ts';
import { openModel, type Model } from '../model/model.ts';
import { shrunk } from './latent-colours.ts';
import { fitColourDecoder, openTinyDecoder, type TinyDecoderOptions } from './preview-decoder.ts';

const execution = preferredExecution.cpu;
const embeddedModelDir = path.join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');
const tiny = path.join(goldenDir, 'tiny-decoder');
const decoderFile = path.join(tiny, 'taesd_decoder.safetensors');

let dir: string;
let demo: Model;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-preview-'));
  demo = await openModel({ dir: embeddedModelDir, execution, cacheDir: dir, createSession: createSharedSession });
});
afterAll(async () => {
  await releaseSharedSessions();
  await rm(dir, { recursive: true });
});

/** For a model whose latents are those of TAESD. */
const eightfold = { channels: 4, downscale: 8, scale: 0.18215, shift: 0 };
const optionsOf = (change: Partial<TinyDecoderOptions>): TinyDecoderOptions => ({
  file: decoderFile,
  format: eightfold,
  size: { height: 16, width: 16 },
  execution,
  weightsDir: path.join(dir, 'weights'),
  ...change,
});

describe('without a tiny decoder', () => {
  it("shows the colours of a picture from the embedded model's latents", async () => {
    const { downscale } = demo.vae.latents;
    const side = 16 * downscale;
    // A disc of one colour before a gradient.
    const picture = generate([1, 3, side, side], (_, colour, y, x) => {
      const isInside = Math.hypot(y - side / 2, x - side / 3) < side / 4;
      return isInside ? ([0.8, -0.5, -0.7][colour] ?? 0) : (colour === 2 ? y : x) / side - 0.5;
    });
    const encoder = await demo.openEncoder({ height: 16, width: 16 });
    const latents = await encoder.run(picture);
    // Another clip, as an edit has it: the same colours in other places.
    const known = generate(picture.dims, (_, colour, y, x) => {
      const { data } = picture;
      return data[(colour * side + (side - 1 - y)) * side + (side - 1 - x)] ?? NaN;
    });
    const decoder = fitColourDecoder({ latents: await encoder.run(known), image: known });
    expect(decoder.kind).toBe('colours');
    const [shown] = await decoder.decode(latents);
    expect(shown).toMatchObject({ width: 16, height: 16, pixelFormat: 'rgb24' });
    const wanted = shrunk(picture, downscale);
    const errors = [...(shown?.rgb ?? [])].map((value, i) => {
      const [pixel, colour] = [Math.floor(i / 3), i % 3];
      return Math.abs(value - 127.5 * ((wanted.data[colour * 256 + pixel] ?? NaN) + 1));
    });
    // Of 255, on average: near enough to tell what is where.
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(16);
    await decoder.release();
  });

  it('keeps pictures small', async () => {
    const decoder = fitColourDecoder({ latents: randomTensor([1, 4, 4, 4]), image: randomTensor([1, 3, 8, 8]) }, 10);
    const pictures = await decoder.decode(randomTensor([2, 4, 16, 12]));
    expect(pictures.map(({ width, height }) => [width, height])).toEqual([
      [6, 8],
      [6, 8],
    ]);
  });
});

describe('with a tiny decoder', () => {
  it('shows what it decodes', async () => {
    const golden = await openSafetensors(path.join(tiny, 'golden.safetensors'));
    const [latents, image] = [await readTensor(golden, 'latents'), await readTensor(golden, 'image')];
    const size = { height: 3, width: 5 };
    const decoder = await openTinyDecoder(optionsOf({ size }));
    expect(decoder.kind).toBe('tiny-decoder');
    const pictures = await decoder.decode(latents);
    expect(pictures.map(({ width, height }) => [width, height])).toEqual([
      [40, 24],
      [40, 24],
    ]);
    const plane = 24 * 40;
    const wanted = Array.from({ length: 3 * plane }, (_, i) => {
      const value = image.data[(i % 3) * plane + Math.floor(i / 3)] ?? NaN;
      return Math.min(255, Math.max(0, (value + 1) * 127.5));
    });
    // Rounded to bytes.
    expect([...(pictures[0]?.rgb ?? [])]).toBeAllClose(wanted, { atol: 0.51 });
    await decoder.release();
  });

  it('decodes fewer latents where the picture would be too large', async () => {
    const decoder = await openTinyDecoder(optionsOf({ size: { height: 6, width: 9 }, maxSide: 40 }));
    const [picture] = await decoder.decode(randomTensor([1, 4, 6, 9]));
    expect(picture).toMatchObject({ width: 32, height: 24 });
    await decoder.release();
  });

  it('says what is wrong with a file that cannot be used', async () => {
    const open = (file: string, format: TinyDecoderOptions['format'] = eightfold) =>
      openTinyDecoder(optionsOf({ file, format }));
    await expect(open(path.join(tiny, 'golden.safetensors'))).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining('is no tiny decoder like that of TAESD') as string,
    });
    const { downscale } = demo.vae.latents;
    expect(downscale).not.toBe(8);
    await expect(open(decoderFile, demo.vae.latents)).rejects.toMatchObject({
      code: 'model-unsupported',
      message: expect.stringContaining(`to 8 pixels per latent, the model has 4 and ${downscale}`) as string,
    });
    const tensors = new Map(await readRaw(decoderFile));
    tensors.delete('3.conv.0.bias');
    const broken = path.join(dir, 'broken.safetensors');
    await writeRaw(broken, tensors);
    await expect(open(broken)).rejects.toMatchObject({ code: 'model-damaged' });
    await expect(open(path.join(dir, 'gone.safetensors'))).rejects.toMatchObject({ code: 'model-missing' });
  });
});
