// A whole checkpoint of Stable Diffusion XL on a device: what is loaded when, and in which precision.

import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenDir } from '../../../../test/fixture-networks.ts';
import { writeJson } from '../../../../test/fixtures/tiny-checkpoint.ts';
import { randomTensor } from '../../../../test/run-graph.ts';
import { preferredExecution, type Execution } from '../../onnx/execution.ts';
import { createSession } from '../../onnx/session.ts';
import { openSafetensors, readTensor } from '../../weights/safetensors.ts';
import { writeSafetensors } from '../../weights/safetensors-write.ts';
import { predict } from '../../tokenflow/denoiser.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { openModel } from './model.ts';

const half: Execution = { ...preferredExecution.cpu, float: 'float16' };

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tokenflow-sdxl-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** Opens a model and notes when its sessions are opened and released, by the name of the graph. */
async function openNoting(modelDir: string, execution: Execution = preferredExecution.cpu) {
  const events: string[] = [];
  const model = await openModel({
    dir: modelDir,
    execution,
    cacheDir: path.join(dir, 'cache'),
    createSession: async (graph, options) => {
      const session = await createSession(graph, options);
      const input = graph.nodes.find(({ op }) => op === 'Conv')?.inputs[1]?.dtype ?? 'none';
      const name = graph.name.startsWith('vae') ? `${graph.name} in ${input}` : graph.name.replace(/:.*/, '');
      events.push(`open ${name}`);
      const release = () => {
        events.push(`release ${name}`);
        return session.release();
      };
      return { run: (inputs) => session.run(inputs), release };
    },
  });
  return { model, events };
}

it('lets go of each text encoder before the next network is loaded', async () => {
  const { model, events } = await openNoting(path.join(goldenDir, 'sdxl'));
  const [conditioning] = await model.conditioning(['a wolf'], { width: 64, height: 32 });
  if (conditioning === undefined) throw new TypeError('no conditioning');
  const denoiser = model.createDenoiser({ height: 8, width: 16 });
  await predict(denoiser, randomTensor([1, 4, 8, 16]), 501, conditioning);
  await denoiser.release();
  expect(events).toEqual([
    'open text_encoder',
    'release text_encoder',
    'open text_encoder_2',
    'release text_encoder_2',
    'open UNet',
    'release UNet',
  ]);
});

it('works at the size of its training', async () => {
  const { model } = await openNoting(path.join(goldenDir, 'sdxl'));
  expect(model).toMatchObject({ trainingSide: 64, sizeMultiple: 16, defaults: { guidance: 5 } });
});

describe('the VAE on a device with half precision', () => {
  const size = { height: 4, width: 4 };

  /** The checkpoint with another vae/config.json, and with weights that `change` may make larger. */
  async function changed(name: string, config: object, change: (key: string) => number = () => 1): Promise<string> {
    const folder = path.join(dir, name);
    await cp(path.join(goldenDir, 'sdxl'), folder, { recursive: true });
    const json = JSON.parse(await readFile(path.join(folder, 'vae', 'config.json'), 'utf8')) as object;
    await writeJson(folder, 'vae/config.json', { ...json, ...config });
    const file = path.join(folder, 'vae', 'diffusion_pytorch_model.safetensors');
    const opened = await openSafetensors(file);
    const weights = new Map<string, Tensor>();
    for (const key of opened.entries.keys()) {
      const { dims, data } = await readTensor(opened, key);
      weights.set(key, { dims, data: data.map((value) => value * change(key)) });
    }
    await writeSafetensors(file, weights);
    return folder;
  }

  it('computes in single precision where its config asks for it', async () => {
    const { model, events } = await openNoting(path.join(goldenDir, 'sdxl'), half);
    await (await model.openDecoder(size)).release();
    expect(events).toEqual(['open vae decoder in float32', 'release vae decoder in float32']);
  });

  it('stays in half precision where that is enough', async () => {
    const { model, events } = await openNoting(await changed('fp16-fix', { force_upcast: false }), half);
    const decoder = await model.openDecoder(size);
    const latents = randomTensor([1, 4, 4, 4]);
    const image = await decoder.run(latents);
    await decoder.release();
    // The weights are in single precision in this file and cast in the graph.
    expect(events).toEqual(['open vae decoder in float16', 'release vae decoder in float16']);
    const { model: exact } = await openNoting(path.join(dir, 'fp16-fix'));
    const reference = await exact.openDecoder(size);
    expect(image.data).toBeAllClose((await reference.run(latents)).data, { atol: 3e-2 });
    await reference.release();
  });

  it('computes once more in single precision what leaves the range of half, and stays there', async () => {
    // A group norm follows: in single precision nothing of the factor is left.
    const folder = await changed('narrow', { force_upcast: false }, (key) =>
      key === 'decoder.conv_in.weight' ? 1e9 : 1,
    );
    const { model, events } = await openNoting(folder, half);
    const latents = randomTensor([2, 4, 4, 4]);
    const decoder = await model.openDecoder(size);
    const image = await decoder.run(latents);
    await decoder.run(latents);
    await (await model.openEncoder(size)).release();
    await decoder.release();
    expect(events).toEqual([
      'open vae decoder in float16',
      'open vae decoder in float32',
      'release vae decoder in float16',
      'open vae encoder in float32',
      'release vae encoder in float32',
      'release vae decoder in float32',
    ]);
    const { model: exact } = await openNoting(folder);
    const reference = await exact.openDecoder(size);
    expect(image).toEqual(await reference.run(latents));
    await reference.release();
  });
});
