import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkpointFiles } from '../../weights/testing/made-checkpoint.ts';
import { halfFileBytes } from '../../weights/testing/made-files.ts';
import type { KindOf } from './found.ts';
import { kindOf } from './kind-of.ts';
import { scanMachine, type Scan, type ScanOptions } from './scan.ts';
import { checkpointIn, madeFiles, makeHome, putRepository, type MadeHome } from './testing/made-places.ts';
import { walkLimits } from './walk.ts';

/** Takes a checkpoint in one file as a usable one: those of the tests have a single tensor. */
const willing: KindOf = async (file) => {
  const found = await kindOf(file);
  const isWhole = file.role === 'checkpoints' && file.path.endsWith('.safetensors');
  return isWhole ? { ...found, problem: null } : found;
};

const scan = ({ machine }: MadeHome, changes: Partial<ScanOptions> = {}): Promise<Scan> =>
  scanMachine({ machine, addedFolders: [], kindOf: willing, ...changes });

/** Source, folder, kind and name of each. */
const linesOf = ({ models }: Scan): readonly string[] =>
  models.map(({ source, folder, kind, name, problem }) =>
    [source, folder, kind, name, ...(problem === null ? [] : ['not usable'])].join(' | '),
  );

describe('the cache of Hugging Face', () => {
  test('gives repositories by their names, with the files of the branch main', async () => {
    const home = await makeHome();
    await putRepository(home, 'someone/film-model', checkpointFiles());
    await putRepository(home, 'someone/lcm-lora', { 'pytorch_lora_weights.safetensors': madeFiles.lora });
    await putRepository(home, 'someone/many', { 'a.safetensors': madeFiles.lora, 'b.safetensors': madeFiles.lora });
    expect(linesOf(await scan(home))).toEqual([
      'hub |  | checkpoint | someone/film-model',
      'hub |  | lora | someone/lcm-lora',
      'hub |  | lora | someone/many/a',
      'hub |  | lora | someone/many/b',
    ]);
  });

  test('is found by HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE and HF_HOME, in this order', async () => {
    for (const [env, cache] of [
      [{ HF_HUB_CACHE: '~/one', HUGGINGFACE_HUB_CACHE: '~/two', HF_HOME: '~/three' }, 'one'],
      [{ HUGGINGFACE_HUB_CACHE: '~/two', HF_HOME: '~/three' }, 'two'],
      [{ HF_HOME: '~/three' }, 'three/hub'],
      [{}, '.cache/huggingface/hub'],
    ] as const) {
      const home = await makeHome(env);
      await putRepository(home, 'someone/film-model', checkpointFiles(), cache);
      expect(linesOf(await scan(home)), cache).toEqual(['hub |  | checkpoint | someone/film-model']);
    }
  });

  test('leaves out what is not downloaded whole, other kinds of models, datasets, and commits that lead elsewhere', async () => {
    const home = await makeHome();
    const { 'unet/diffusion_pytorch_model.safetensors': unet, ...rest } = checkpointFiles();
    const half = await putRepository(home, 'someone/half', rest);
    await home.put({ [`${half}/blobs/abc.incomplete`]: unet ?? '' });
    await putRepository(home, 'someone/words', { 'model.safetensors': madeFiles.languageModel });
    await home.put({ '.cache/huggingface/hub/datasets--someone--pictures/refs/main': 'x' });
    await home.put({ '.cache/huggingface/hub/models--someone--evil/refs/main': '../../../../secret' });
    await home.put(checkpointIn('secret'));
    expect(await scan(home)).toMatchObject({ models: [], notices: [] });
  });

  test('says of a repository of another kind what it is', async () => {
    const home = await makeHome();
    await putRepository(home, 'someone/flux', {
      ...checkpointFiles(),
      'model_index.json': '{"_class_name":"FluxPipeline"}',
    });
    const { models } = await scan(home);
    expect(models).toMatchObject([
      { name: 'someone/flux', problem: expect.stringContaining('FluxPipeline is Flux') as string },
    ]);
    expect(models[0]?.problem).not.toContain(home.home);
  });

  test('without the branch main gives its newest commit', async () => {
    const home = await makeHome();
    const dir = await putRepository(home, 'someone/film-model', checkpointFiles());
    await rm(home.path(`${dir}/refs`), { recursive: true });
    expect(linesOf(await scan(home))).toEqual(['hub |  | checkpoint | someone/film-model']);
  });
});

describe('ComfyUI', () => {
  test('has checkpoints, LoRAs, VAEs and embeddings in folders of their own', async () => {
    const home = await makeHome();
    await home.put({
      'ComfyUI/models/checkpoints/film/real.safetensors': madeFiles.checkpoint,
      'ComfyUI/models/checkpoints/old.ckpt': 'pickle',
      'ComfyUI/models/checkpoints/put_checkpoints_here': '',
      'ComfyUI/models/loras/grain.safetensors': madeFiles.lora,
      'ComfyUI/models/vae/ft-mse.safetensors': madeFiles.vae,
      'ComfyUI/models/embeddings/good.safetensors': madeFiles.embedding,
      'ComfyUI/models/embeddings/bad.pt': 'pickle',
      'ComfyUI/models/diffusion_models/flux.gguf': 'GGUF',
    });
    const found = await scan(home);
    expect(linesOf(found)).toEqual([
      'comfyui | models/checkpoints | checkpoint | old | not usable',
      'comfyui | models/checkpoints/film | checkpoint | real',
      'comfyui | models/loras | lora | grain',
      'comfyui | models/vae | vae | ft-mse',
      'comfyui | models/embeddings | embedding | bad | not usable',
      'comfyui | models/embeddings | embedding | good',
      'comfyui | models/diffusion_models | checkpoint | flux | not usable',
    ]);
    expect(found.models[0]?.problem).toMatch(/^It is a pickle/);
    expect(found.models[6]?.problem).toMatch(/^It is quantised \(GGUF\)/);
  });

  test('has the folders of extra_model_paths.yaml as well', async () => {
    const home = await makeHome({ MODELS: 'shared' });
    await home.put({
      'ComfyUI/extra_model_paths.yaml': [
        '# other programs',
        'a111:',
        '    base_path: ~/webui/',
        '    checkpoints: models/Stable-diffusion',
        '    loras: |',
        '         models/Lora',
        '         models/LyCORIS',
        '    upscale_models: models/ESRGAN',
        'own:',
        '    is_default: true',
        '    checkpoints: "../$MODELS/my checkpoints"',
        'empty:',
      ].join('\n'),
      'ComfyUI/models/checkpoints/.keep': '',
      'webui/models/Stable-diffusion/a.safetensors': madeFiles.checkpoint,
      'webui/models/Lora/b.safetensors': madeFiles.lora,
      'webui/models/LyCORIS/c.safetensors': madeFiles.lora,
      'webui/models/ESRGAN/d.safetensors': madeFiles.vae,
      'shared/my checkpoints/e.safetensors': madeFiles.checkpoint,
    });
    const found = await scan(home);
    expect(linesOf(found)).toEqual([
      'comfyui | models/Stable-diffusion | checkpoint | a',
      'comfyui | models/Lora | lora | b',
      'comfyui | models/LyCORIS | lora | c',
      'comfyui | my checkpoints | checkpoint | e',
    ]);
    expect(found.notices).toEqual([]);
  });

  test.each([
    ['a: [', 'ComfyUI, extra_model_paths.yaml: is no YAML: '],
    ['\tcomfyui: x', 'ComfyUI, extra_model_paths.yaml: is no YAML: '],
    ['- a\n- b', 'must have sections such as comfyui.'],
    ['comfyui: models', 'comfyui must have lines such as "checkpoints: models/checkpoints".'],
    ['comfyui:\n  loras: [a, b]', 'comfyui.loras must be a folder, or one in each line.'],
    ['x'.repeat(1_000_001), 'has more than 1000000 bytes.'],
  ])('names what is wrong in extra_model_paths.yaml (%#), and lists the rest', async (text, notice) => {
    const home = await makeHome();
    await home.put({
      'ComfyUI/extra_model_paths.yaml': text,
      'ComfyUI/models/checkpoints/a.safetensors': madeFiles.checkpoint,
    });
    const found = await scan(home);
    expect(linesOf(found)).toEqual(['comfyui | models/checkpoints | checkpoint | a']);
    expect(found.notices).toEqual([expect.stringContaining(notice)]);
  });
});

describe('AUTOMATIC1111 and Forge', () => {
  test('have their folders, and those of the arguments in webui-user.sh', async () => {
    const home = await makeHome();
    await home.put({
      'stable-diffusion-webui/models/Stable-diffusion/a.safetensors': madeFiles.checkpoint,
      'stable-diffusion-webui/models/Lora/b.safetensors': madeFiles.lora,
      'stable-diffusion-webui/models/VAE/c.safetensors': madeFiles.vae,
      'stable-diffusion-webui/embeddings/d.safetensors': madeFiles.embedding,
      'stable-diffusion-webui/webui-user.sh': [
        '#export COMMANDLINE_ARGS="--ckpt-dir ~/never"',
        `export COMMANDLINE_ARGS="--xformers --ckpt-dir '~/my films' --lora-dir=~/loras"`,
      ].join('\n'),
      'my films/e.safetensors': madeFiles.checkpoint,
      'loras/f.safetensors': madeFiles.lora,
      'never/g.safetensors': madeFiles.checkpoint,
    });
    expect(linesOf(await scan(home))).toEqual([
      'automatic1111 | models/Stable-diffusion | checkpoint | a',
      'automatic1111 | models/Lora | lora | b',
      'automatic1111 | models/VAE | vae | c',
      'automatic1111 | embeddings | embedding | d',
      'automatic1111 | my films | checkpoint | e',
      'automatic1111 | loras | lora | f',
    ]);
  });

  test('share a file with ComfyUI, which is listed once', async () => {
    const home = await makeHome();
    await home.put({ 'stable-diffusion-webui/models/Stable-diffusion/a.safetensors': madeFiles.checkpoint });
    await home.link('ComfyUI/models/checkpoints', 'stable-diffusion-webui/models/Stable-diffusion');
    expect(linesOf(await scan(home))).toEqual(['comfyui | models/checkpoints | checkpoint | a']);
  });
});

test('InvokeAI has its models folder, or the one that invokeai.yaml names', async () => {
  for (const [settings, dir] of [
    ['schema_version: 4.0.2\nprecision: float16\n', 'invokeai/models'],
    ['schema_version: 4.0.2\nmodels_dir: ~/elsewhere\n', 'elsewhere'],
    ['InvokeAI:\n  Paths:\n    models_dir: old models\n', 'invokeai/old models'],
  ] as const) {
    const home = await makeHome();
    await home.put({
      'invokeai/invokeai.yaml': settings,
      ...checkpointIn(`${dir}/0a1b2c3d`),
      [`${dir}/4e5f/film.safetensors`]: madeFiles.lora,
    });
    const label = dir.split('/').at(-1) ?? '';
    expect(linesOf(await scan(home)), settings).toEqual([
      `invokeai | ${label} | checkpoint | 0a1b2c3d`,
      `invokeai | ${label}/4e5f | lora | film`,
    ]);
  }
});

test('what DiffusionBee and Draw Things keep is listed with the reason why it cannot be read', async () => {
  const home = await makeHome({}, 'darwin');
  const drawThings = 'Library/Containers/com.liuliu.draw-things/Data/Documents/Models';
  await home.put({
    '.diffusionbee/downloaded_assets/sd-v1-5_fp16.tdict': 'x',
    [`${drawThings}/sd_v1.5_f16.ckpt`]: 'SQLite format 3',
    [`${drawThings}/clip_vit_l14_f16.ckpt`]: 'SQLite format 3',
    [`${drawThings}/film_lora_f16.ckpt`]: 'SQLite format 3',
  });
  const found = await scan(home);
  expect(linesOf(found)).toEqual([
    'diffusionbee | downloaded_assets | checkpoint | sd-v1-5_fp16 | not usable',
    'draw-things | Models | lora | film_lora_f16 | not usable',
    'draw-things | Models | checkpoint | sd_v1.5_f16 | not usable',
  ]);
  expect(found.models[0]?.problem).toContain('format of DiffusionBee');
  expect(found.models[1]?.problem).toContain('format of Draw Things');
});

describe('a folder that the user added', () => {
  test('may be that of a program, or any other', async () => {
    const home = await makeHome();
    await home.put({
      'disk/Comfy/models/checkpoints/a.safetensors': madeFiles.checkpoint,
      'disk/own/deep/b.safetensors': madeFiles.lora,
      ...checkpointIn('disk/own/c'),
    });
    await putRepository(home, 'someone/film-model', checkpointFiles(), 'disk/hub');
    const addedFolders = ['disk/Comfy', 'disk/own', 'disk/hub'].map((below) => home.path(below));
    expect(linesOf(await scan(home, { addedFolders }))).toEqual([
      'comfyui | models/checkpoints | checkpoint | a',
      'folder | own | checkpoint | c',
      'folder | own/deep | lora | b',
      'hub |  | checkpoint | someone/film-model',
    ]);
  });

  test('is named with what was found there, by the last part of its path, after the programs', async () => {
    const home = await makeHome();
    await home.put({
      'Film looks/one.safetensors': madeFiles.lora,
      'ComfyUI/models/loras/two.safetensors': madeFiles.lora,
      'ComfyUI/models/vae/three.safetensors': madeFiles.vae,
    });
    const { folders } = await scan(home, { addedFolders: [home.path('Film looks')] });
    expect(folders).toEqual([
      { source: 'comfyui', title: 'ComfyUI', models: 1 },
      { source: 'folder', title: 'Film looks', models: 1 },
    ]);
  });

  test('that is not connected is left out', async () => {
    const home = await makeHome();
    expect(await scan(home, { addedFolders: [home.path('gone')] })).toMatchObject({ models: [], notices: [] });
  });
});

describe('trouble', () => {
  test('a loop of links ends, and every file is listed once', async () => {
    const home = await makeHome();
    await home.put({ 'own/a.safetensors': madeFiles.lora });
    await home.link('own/loop', 'own');
    await home.link('own/again.safetensors', 'own/a.safetensors');
    await home.link('own/self', 'own/self');
    await home.link('own/gone.safetensors', 'nowhere.safetensors');
    expect(await scan(home, { addedFolders: [home.path('own')] })).toMatchObject({
      models: [{ name: 'a' }],
      notices: [],
    });
  });

  test('a file that goes after its name was read is not there', async () => {
    const home = await makeHome();
    await home.put({ 'own/a.safetensors': madeFiles.lora, 'own/b.safetensors': madeFiles.lora });
    const removing: KindOf = async (file) => {
      await rm(file.path);
      return kindOf(file);
    };
    expect(await scan(home, { addedFolders: [home.path('own')], kindOf: removing })).toMatchObject({
      models: [],
      notices: [],
    });
  });

  test('a LoRA, VAE or embedding says which models it is for, or why it is of no use', async () => {
    const home = await makeHome();
    await home.put({
      'own/a.safetensors': madeFiles.embedding,
      'own/b.safetensors': madeFiles.fluxLora,
      'own/c.safetensors': halfFileBytes({ 'decoder.conv_in.weight': [2, 16, 3, 3] }),
    });
    const { models } = await scan(home, { addedFolders: [home.path('own')] });
    expect(models.map(({ kind, family, problem }) => [kind, family, problem])).toEqual([
      ['embedding', 'Stable Diffusion 1.x', null],
      ['lora', 'Flux', 'It is for Flux, and such models are not used here.'],
      ['vae', null, 'It is a VAE of 16 latent channels, and 4 are needed.'],
    ]);
  });

  test('a file that is damaged or not whole is listed with what is wrong', async () => {
    const home = await makeHome();
    await home.put({
      'own/cut.safetensors': madeFiles.checkpoint.subarray(0, madeFiles.checkpoint.length - 4),
      'own/empty.safetensors': '',
      'own/pointer.safetensors': 'version https://git-lfs.github.com/spec/v1',
    });
    const { models } = await scan(home, { addedFolders: [home.path('own')] });
    expect(models.map(({ problem }) => problem)).toEqual([
      expect.stringMatching(/^cut\.safetensors: .* the file has \d+ bytes\.$/),
      'empty.safetensors: needs at least 8 bytes, has 0.',
      'pointer.safetensors: is a Git LFS pointer, not the file itself.',
    ]);
  });

  test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'a folder without permission is named, and the others are listed',
    async () => {
      const home = await makeHome();
      await home.put({ 'own/a.safetensors': madeFiles.lora, 'own/closed/b.safetensors': madeFiles.lora });
      await chmod(home.path('own/closed'), 0o000);
      const found = await scan(home, { addedFolders: [home.path('own')] });
      await chmod(home.path('own/closed'), 0o700);
      expect(found).toMatchObject({
        models: [{ name: 'a' }],
        notices: ['own, own/closed: there is no permission to read it.'],
      });
    },
  );

  test('more files, deeper folders and a longer time than the limits are named', async () => {
    const home = await makeHome();
    await home.put({
      'own/a.safetensors': madeFiles.lora,
      'own/b.safetensors': madeFiles.lora,
      'own/1/2/3/c.safetensors': madeFiles.lora,
    });
    const addedFolders = [home.path('own')];
    const few = await scan(home, { addedFolders, limits: { ...walkLimits, maxNames: 2 } });
    expect(few.notices).toEqual(['own: has more than 2 files and folders; the rest is not listed.']);
    const flat = await scan(home, { addedFolders, limits: { ...walkLimits, maxDepth: 2 } });
    expect(flat.models.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(flat.notices).toEqual(['own, own/1/2/3: is more than 2 folders deep and is not listed.']);
    const slow = await scan(home, { addedFolders, limits: { ...walkLimits, maxMs: -1 } });
    expect(slow.notices).toEqual([expect.stringContaining('to read; the rest is not listed.')]);
  });

  test('a folder of 3,000 files is listed whole', async () => {
    const home = await makeHome();
    await mkdir(home.path('own'));
    const names = Array.from({ length: 3_000 }, (_, index) => `film-${index}.safetensors`);
    await Promise.all(names.map((name) => writeFile(join(home.path('own'), name), madeFiles.lora)));
    const found = await scan(home, { addedFolders: [home.path('own')] });
    expect(found.models).toHaveLength(3_000);
    expect(found.notices).toEqual([]);
    expect(found.models.every(({ problem }) => problem === null)).toBe(true);
  });
});
