import { expect, test } from 'vitest';
import { halfFileBytes } from '../weights/testing/made-files.ts';
import { controlNetFor } from './choose-controlnet.ts';
import { createLibrary, type Library } from './library/library.ts';
import { checkpointIn, makeHome, type MadeHome } from './library/testing/made-places.ts';

const netOf = (width: number) =>
  halfFileBytes({
    'controlnet_cond_embedding.conv_in.weight': [16, 3, 3, 3],
    'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight': [8, width],
  });

/** With a model of Stable Diffusion 1.x: that of the tests is smaller than any real one. */
async function libraryOf(home: MadeHome): Promise<Library> {
  const first = new Map([['film', home.path('film')]]);
  const library = createLibrary({ first, modelsDir: null, machine: home.machine, cacheDir: null });
  await library.refresh();
  const usableModels = () => library.usableModels().map((model) => ({ ...model, family: 'Stable Diffusion 1.x' }));
  return { ...library, usableModels };
}

async function makeHomeWithNets(): Promise<MadeHome> {
  const home = await makeHome();
  const nets = 'ComfyUI/models/controlnet';
  await home.put({
    ...checkpointIn('film'),
    'ComfyUI/models/checkpoints/.keep': '',
    [`${nets}/control_v11p_sd15_canny.safetensors`]: netOf(768),
    [`${nets}/control_v11f1e_sd15_tile.safetensors`]: netOf(768),
    [`${nets}/a-canny-sdxl.safetensors`]: netOf(2048),
    [`${nets}/control-lora-canny-rank128.safetensors`]: halfFileBytes({ lora_controlnet: [1] }),
  });
  return home;
}

test('the ControlNet for a kind is the first that has it in its name and is of the family of the model', async () => {
  const home = await makeHomeWithNets();
  const library = await libraryOf(home);
  expect(await controlNetFor(library, 'canny', null)).toEqual({
    name: 'control_v11p_sd15_canny',
    file: home.path('ComfyUI/models/controlnet/control_v11p_sd15_canny.safetensors'),
  });
  expect(await controlNetFor(library, 'tile', 'film')).toMatchObject({ name: 'control_v11f1e_sd15_tile' });
});

test('where none fits, the error says which there are, without paths', async () => {
  const home = await makeHomeWithNets();
  const error: unknown = await controlNetFor(await libraryOf(home), 'scribble', null).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({
    code: 'adapter-missing',
    message:
      'No ControlNet for scribble and Stable Diffusion 1.x was found; there are a-canny-sdxl (Stable Diffusion XL), control_v11f1e_sd15_tile (Stable Diffusion 1.x), control_v11p_sd15_canny (Stable Diffusion 1.x).',
  });
});

test('a relative that is not used here is found, and refused with what it is', async () => {
  const library = await libraryOf(await makeHomeWithNets());
  await expect(library.pathOf('controlnet', 'control-lora-canny-rank128')).rejects.toMatchObject({
    code: 'adapter-unsupported',
    message: expect.stringContaining(
      "The ControlNet 'control-lora-canny-rank128' cannot be used. It is a Control-LoRA.",
    ) as string,
  });
  await expect(library.pathOf('controlnet', 'none')).rejects.toMatchObject({ code: 'adapter-missing' });
});

test('clients are told of ControlNets: which kinds their names say, and why one cannot be used', async () => {
  const library = await libraryOf(await makeHomeWithNets());
  const listed = library.lists().controlNets;
  expect(listed.map(({ name, family, kinds }) => [name, family, kinds])).toEqual([
    ['a-canny-sdxl', 'Stable Diffusion XL', ['canny']],
    ['control_v11f1e_sd15_tile', 'Stable Diffusion 1.x', ['tile']],
    ['control_v11p_sd15_canny', 'Stable Diffusion 1.x', ['canny']],
    ['control-lora-canny-rank128', null, ['canny']],
  ]);
  expect(listed.map(({ problem }) => problem === null)).toEqual([true, true, true, false]);
  expect(JSON.stringify(listed)).not.toContain('/tmp/');
});
