import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { rejectionOf } from '../testing/error-from.ts';
import { addFolder, readAddedFolders, removeFolder } from './added-folders.ts';
import type { FoundFile, KindOf } from './found.ts';
import { kindOf } from './kind-of.ts';
import { createLibrary, type LibraryOptions } from './library.ts';
import { checkpointIn, madeFiles, makeHome, type MadeHome } from './testing/made-places.ts';

const checkpoints = 'ComfyUI/models/checkpoints';
const loras = 'ComfyUI/models/loras';

const libraryOf = (home: MadeHome, changes: Partial<LibraryOptions> = {}) =>
  createLibrary({
    first: new Map(),
    modelsDir: home.path('models'),
    machine: home.machine,
    cacheDir: null,
    kindOf: willing,
    ...changes,
  });

/** Takes every checkpoint as a usable one, in files too. */
const willing: KindOf = async (file) => ({ ...(await kindOf(file)), problem: null });

describe('names', () => {
  test('are those of the files, and never one that the program or its catalogue has', async () => {
    const home = await makeHome();
    await home.put({
      [`${checkpoints}/film.v2.safetensors`]: madeFiles.checkpoint,
      [`${checkpoints}/demo.safetensors`]: madeFiles.checkpoint,
      [`${checkpoints}/stable-diffusion-1.5.safetensors`]: madeFiles.checkpoint,
    });
    const library = libraryOf(home);
    await library.refresh();
    expect(library.lists().models.map(({ id }) => id)).toEqual([
      'demo',
      'demo@comfyui/models/checkpoints',
      'film.v2',
      'stable-diffusion-1.5@comfyui/models/checkpoints',
    ]);
    expect(await library.pathOfModel('film.v2')).toBe(home.path(`${checkpoints}/film.v2.safetensors`));
    expect(await library.pathOfModel('demo')).not.toContain(home.home);
  });

  test('of two files of one name have the place, and the short one names both', async () => {
    const home = await makeHome();
    const [one, two] = [`${checkpoints}/a/film.safetensors`, `${checkpoints}/b/film.safetensors`];
    await home.put({ [one]: madeFiles.checkpoint });
    const library = libraryOf(home);
    expect(await library.pathOfModel('film')).toBe(home.path(one));
    await home.put({ [two]: madeFiles.vae });
    await library.refresh();
    // The second is no checkpoint, so the name still has one meaning.
    expect(await library.pathOfModel('film')).toBe(home.path(one));
    await home.put({ [two]: madeFiles.checkpoint });
    await library.refresh();
    expect(await library.pathOfModel('film@comfyui/models/checkpoints/a')).toBe(home.path(one));
    expect(await library.pathOfModel('film@comfyui/models/checkpoints/b')).toBe(home.path(two));
    const error = await rejectionOf(library.pathOfModel('film'));
    expect(error).toMatchObject({ code: 'model-missing' });
    expect(error.message).toBe(
      "There are 2 models 'film': film@comfyui/models/checkpoints/a, film@comfyui/models/checkpoints/b.",
    );
    await rm(home.path(two));
    await library.refresh();
    // The long name of the only one stays right.
    expect(await library.pathOfModel('film@comfyui/models/checkpoints/a')).toBe(home.path(one));
  });

  test.skipIf(process.platform === 'win32')(
    'with signs that cannot be seen, or too many of them, fit the wire',
    async () => {
      const home = await makeHome();
      await home.put({
        [`${checkpoints}/new\nline\u202e.safetensors`]: madeFiles.checkpoint,
        [`${checkpoints}/${'x'.repeat(200)}.safetensors`]: madeFiles.checkpoint,
      });
      const library = libraryOf(home);
      await library.refresh();
      const ids = library.lists().models.map(({ id }) => id);
      expect(ids[1]).toBe('new_line_');
      expect(ids[2]).toMatch(/^x{100,}~[0-9a-f]{8}$/);
      for (const id of ids.slice(1)) expect(await library.pathOfModel(id)).toContain(home.home);
    },
  );

  test.each(['../secret', '/etc/passwd', 'ComfyUI/models/checkpoints/film.safetensors', '', '__proto__', 'a\0b'])(
    '%j is no name, and leads to no file',
    async (name) => {
      const home = await makeHome();
      await home.put({ [`${checkpoints}/film.safetensors`]: madeFiles.checkpoint, ...checkpointIn('secret') });
      const error = await rejectionOf(libraryOf(home).pathOfModel(name));
      expect(error.code).toBe('model-missing');
      expect(error.message).not.toContain(home.home);
    },
  );
});

describe('a look', () => {
  test('finds a file that has come since, when its name is asked for', async () => {
    const home = await makeHome();
    await home.put({ [`${checkpoints}/a.safetensors`]: madeFiles.checkpoint });
    const library = libraryOf(home);
    await library.refresh();
    await home.put({ [`${checkpoints}/b.safetensors`]: madeFiles.checkpoint, ...checkpointIn('models/pulled') });
    expect(await library.pathOfModel('b')).toBe(home.path(`${checkpoints}/b.safetensors`));
    expect(await library.pathOfModel('pulled')).toBe(home.path('models/pulled'));
  });

  test('that is asked for during another one begins after it, once for all who ask', async () => {
    const home = await makeHome();
    await home.put({ [`${checkpoints}/a.safetensors`]: madeFiles.checkpoint });
    let looks = 0;
    const counting: KindOf = async (file) => {
      if (file.path.endsWith('a.safetensors')) looks++;
      return willing(file);
    };
    const library = libraryOf(home, { kindOf: counting });
    const first = library.refresh();
    await utimes(home.path(`${checkpoints}/a.safetensors`), 1, 1);
    const others = [library.refresh(), library.refresh()];
    await first;
    await utimes(home.path(`${checkpoints}/a.safetensors`), 2, 2);
    await Promise.all(others);
    expect(looks).toBe(2);
  });

  test('does not read a header again until the file changes, also in the next process', async () => {
    const home = await makeHome();
    const file = home.path(`${checkpoints}/a.safetensors`);
    await home.put({ [`${checkpoints}/a.safetensors`]: madeFiles.checkpoint, 'cache/.keep': '' });
    const read: string[] = [];
    const noting: KindOf = (found) => {
      read.push(found.path);
      return willing(found);
    };
    const begin = () => libraryOf(home, { kindOf: noting, cacheDir: home.path('cache') });
    await begin().refresh();
    read.length = 0;
    const library = begin();
    await library.refresh();
    expect(read).toEqual([]);
    expect(library.lists().models.map(({ id }) => id)).toEqual(['demo', 'a']);
    await utimes(file, 1, 1);
    await library.refresh();
    expect(read).toEqual([file]);
  });

  test.each(['{', '{"version":0,"facts":[]}', '[]', '{"version":2,"facts":[{"path":7}]}'])(
    'does without notes that cannot be used (%j), and writes new ones',
    async (text) => {
      const home = await makeHome();
      await home.put({ [`${checkpoints}/a.safetensors`]: madeFiles.checkpoint, 'cache/library.json': text });
      const library = libraryOf(home, { cacheDir: home.path('cache') });
      await library.refresh();
      expect(library.lists().models).toHaveLength(2);
      expect(JSON.parse(await readFile(home.path('cache/library.json'), 'utf8'))).toMatchObject({ version: 2 });
    },
  );

  test('says when its notes cannot be written, and goes on', async () => {
    const home = await makeHome();
    await home.put({ [`${checkpoints}/a.safetensors`]: madeFiles.checkpoint });
    const failures: unknown[] = [];
    const library = libraryOf(home, { cacheDir: home.path('nowhere'), onUnkept: (error) => failures.push(error) });
    await library.refresh();
    expect(library.lists().models).toHaveLength(2);
    expect(failures).toMatchObject([{ code: 'output-unwritable' }]);
  });

  test('ends when the library is closed', async () => {
    const home = await makeHome();
    await home.put({ [`${checkpoints}/a.safetensors`]: madeFiles.checkpoint });
    let closing: Promise<void> | undefined;
    const library = libraryOf(home, {
      kindOf: (file: FoundFile) => {
        closing ??= library.close();
        return willing(file);
      },
      first: new Map([['own', home.path(checkpoints)]]),
    });
    await expect(library.refresh()).rejects.toMatchObject({ name: 'CanceledError' });
    await closing;
  });
});

describe('what is listed', () => {
  test('has family, size, place and what the catalogue says, and no absolute path', async () => {
    const home = await makeHome();
    const cache = '.cache/huggingface/hub/models--stable-diffusion-v1-5--stable-diffusion-v1-5/snapshots/main';
    await home.put({
      ...checkpointIn(cache),
      [`${cache}/unet/config.json`]: '{"_class_name":"UNet2DConditionModel","in_channels":4,"cross_attention_dim":768}',
      [`${loras}/film/grain.safetensors`]: madeFiles.lora,
      [`${checkpoints}/old.ckpt`]: 'pickle',
    });
    const library = libraryOf(home, { kindOf });
    await library.refresh();
    const lists = library.lists();
    expect(lists.models.slice(1)).toMatchObject([
      {
        id: 'stable-diffusion-v1-5/stable-diffusion-v1-5',
        title: 'Stable Diffusion 1.5',
        goodFor: expect.stringContaining('512x512') as string,
        family: 'Stable Diffusion 1.x',
        source: 'hub',
        folder: '',
        problem: null,
      },
      {
        id: 'old',
        sizeBytes: 6,
        source: 'comfyui',
        folder: 'models/checkpoints',
        problem: expect.stringContaining('pickle') as string,
      },
    ]);
    expect(lists.models[1]?.sizeBytes).toBeGreaterThan(500);
    expect(lists.loras).toMatchObject([{ name: 'grain', folder: 'models/loras/film', problem: null }]);
    expect(JSON.stringify(lists)).not.toContain(home.home);
  });

  test('has own models with their source, and what cannot be used last', async () => {
    const home = await makeHome();
    await home.put({
      ...checkpointIn('models/pulled'),
      ...checkpointIn('elsewhere'),
      'models/references.json': JSON.stringify({ added: home.path('elsewhere') }),
      'models/broken/model_index.json': '{"_class_name":"FluxPipeline"}',
    });
    const library = libraryOf(home, { kindOf });
    await library.refresh();
    expect(library.lists().models.map(({ id, source, problem }) => [id, source, problem === null])).toEqual([
      ['demo', 'embedded', true],
      ['pulled', 'downloaded', true],
      ['added', 'added', true],
      ['broken', 'downloaded', false],
    ]);
    expect(library.usableModels().map(({ id }) => id)).toEqual(['demo', 'pulled', 'added']);
  });

  test('is said to be unusable with the reason, when a job wants it', async () => {
    const home = await makeHome();
    await home.put({ [`${checkpoints}/old.ckpt`]: 'pickle' });
    const error = await rejectionOf(libraryOf(home, { kindOf }).pathOfModel('old'));
    expect(error).toMatchObject({ code: 'model-unsupported' });
    expect(error.message).toContain("The model 'old' cannot be used. It is a pickle");
  });

  test('is missed by name, with those that there are', async () => {
    const home = await makeHome();
    await home.put({ [`${loras}/grain.safetensors`]: madeFiles.lora });
    const library = libraryOf(home);
    expect(await library.pathOf('lora', 'grain')).toBe(home.path(`${loras}/grain.safetensors`));
    expect((await rejectionOf(library.pathOf('lora', 'rain'))).message).toBe(
      "The server has no LoRA named 'rain'; it has grain.",
    );
    await rm(home.path(`${loras}/grain.safetensors`));
    expect((await rejectionOf(library.pathOf('lora', 'grain'))).message).toBe(
      "The server has no LoRA named 'grain'; it has none.",
    );
  });

  test('is left as it is: nothing is written beside it', async () => {
    const home = await makeHome();
    await home.put({ [`${checkpoints}/a.safetensors`]: madeFiles.checkpoint });
    const before = await stat(home.path(checkpoints));
    await libraryOf(home).refresh();
    expect((await stat(home.path(checkpoints))).mtimeMs).toBe(before.mtimeMs);
  });
});

test('embeddings whose names are in a prompt are found, in any case of letters', async () => {
  const home = await makeHome();
  await home.put({
    'ComfyUI/models/embeddings/MyLook.safetensors': madeFiles.embedding,
    'ComfyUI/models/embeddings/other.safetensors': madeFiles.embedding,
    [`${loras}/grain.safetensors`]: madeFiles.lora,
    'ComfyUI/models/embeddings/old.pt': 'pickle',
  });
  const library = libraryOf(home, { kindOf });
  void library.refresh();
  await library.settled();
  expect(library.embeddingsIn(['a harbour in mylook', 'old'])).toEqual([
    { word: 'MyLook', file: home.path('ComfyUI/models/embeddings/MyLook.safetensors') },
  ]);
});

describe('added folders', () => {
  test('come, are listed and go, each once', async () => {
    const home = await makeHome();
    const modelsDir = home.path('models');
    await home.put({ 'own/a.safetensors': madeFiles.lora });
    expect(readAddedFolders(modelsDir)).toEqual([]);
    expect(await addFolder(modelsDir, home.path('own'))).toBe(home.path('own'));
    await addFolder(modelsDir, home.path('own/'));
    expect(readAddedFolders(modelsDir)).toEqual([home.path('own')]);
    const library = libraryOf(home);
    expect(await library.pathOf('lora', 'a')).toBe(home.path('own/a.safetensors'));
    await removeFolder(modelsDir, home.path('own'));
    expect(readAddedFolders(modelsDir)).toEqual([]);
    expect((await rejectionOf(library.pathOf('lora', 'b'))).message).toContain('it has none');
    expect(await readFile(home.path('own/a.safetensors'))).toEqual(Buffer.from(madeFiles.lora));
  });

  test('that are none are refused', async () => {
    const home = await makeHome();
    await home.put({ 'file.safetensors': madeFiles.lora });
    for (const wrong of ['file.safetensors', 'nowhere']) {
      expect(await rejectionOf(addFolder(home.path('models'), home.path(wrong)))).toMatchObject({
        code: 'invalid-request',
      });
    }
    expect(await rejectionOf(removeFolder(home.path('models'), home.path('own')))).toMatchObject({
      hint: 'No folder was added.',
    });
  });

  test.each(['{', '{}', '["relative"]', '[7]'])('in a file that cannot be read (%j) are named', async (text) => {
    const home = await makeHome();
    await home.put({ 'models/folders.json': text, [`${loras}/grain.safetensors`]: madeFiles.lora });
    const library = libraryOf(home);
    await library.refresh();
    expect(library.lists()).toMatchObject({
      loras: [{ name: 'grain' }],
      notices: [expect.stringContaining('The list of added folders cannot be read')],
    });
    await writeFile(home.path('models/folders.json'), '[]');
    await library.refresh();
    expect(library.lists().notices).toEqual([]);
  });
});
