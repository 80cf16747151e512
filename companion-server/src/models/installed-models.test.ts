import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeTinyCheckpoint, writeJson } from '../../../test/fixtures/tiny-checkpoint.ts';
import { checkpointFiles, writeFiles } from '../weights/testing/made-checkpoint.ts';
import { addModel, removeModel } from './change-models.ts';
import { chooseModels } from './choose-models.ts';
import { findInstalledModels, modelsDirOf } from './installed-models.ts';
import { createLibrary } from './library/library.ts';
import { madeCommit, makeHome, putRepository } from './library/testing/made-places.ts';
import { stagingDir } from './models-folder.ts';
import { errorFrom, rejectionOf } from './testing/error-from.ts';
import { verifyModel } from './verify.ts';

let root: string;
let modelsDir: string;
/** A checkpoint outside the models folder. */
let elsewhere: string;

let made: string;
beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'tokenflow-made-'));
  await makeTinyCheckpoint(made);
});
afterAll(() => rm(made, { recursive: true }));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tokenflow-installed-'));
  modelsDir = modelsDirOf(root);
  elsewhere = join(root, 'elsewhere', 'my-model');
  await cp(made, elsewhere, { recursive: true });
});

afterEach(() => rm(root, { recursive: true }));

const names = () => [...findInstalledModels(modelsDir).keys()];
const install = (name: string) => writeFiles(join(modelsDir, name), checkpointFiles());

describe('the models that there are', () => {
  test('are the embedded one where nothing else was made', () => {
    expect(names()).toEqual(['demo']);
  });

  test('are folders of the models folder and references, without what is not whole', async () => {
    await install('b');
    await install('a');
    await mkdir(join(modelsDir, 'not-a-checkpoint'));
    await writeFiles(stagingDir(modelsDir, 'c'), checkpointFiles());
    await addModel(modelsDir, elsewhere);
    expect(names()).toEqual(['demo', 'a', 'b', 'my-model']);
  });

  test('do not have a reference whose folder is gone, until it is back', async () => {
    await addModel(modelsDir, elsewhere);
    await rm(join(elsewhere, 'model_index.json'));
    expect(names()).toEqual(['demo']);
    await writeFile(join(elsewhere, 'model_index.json'), '{}');
    expect(names()).toEqual(['demo', 'my-model']);
  });

  test.each(['{', '[]x', 'null', '{"../x":"/y"}', '{"x":"relative"}', '{"x":7}'])(
    'cannot be listed when the references are %j',
    async (text) => {
      await mkdir(modelsDir, { recursive: true });
      await writeFile(join(modelsDir, 'references.json'), text);
      expect(errorFrom(names)).toMatchObject({ code: 'model-damaged' });
    },
  );

  test('are described by the catalogue, or by their names', async () => {
    await install('stable-diffusion-1.5');
    await addModel(modelsDir, elsewhere);
    const first = findInstalledModels(modelsDir);
    const library = createLibrary({ first, modelsDir, machine: null, cacheDir: null });
    const described = library.usableModels();
    expect(described.map(({ id, title }) => [id, title])).toEqual([
      ['demo', 'Demo world'],
      ['stable-diffusion-1.5', 'Stable Diffusion 1.5'],
      ['my-model', 'my-model'],
    ]);
    expect(described[1]?.goodFor).toContain('512x512');
    expect(described[2]?.goodFor).toBe('');
  });
});

describe('the chosen model', () => {
  const choose = (chosen?: string) => chooseModels({ modelsDir, machine: null, cacheDir: null }, chosen);

  test('is the embedded one without a choice', async () => {
    expect([...(await choose()).keys()]).toEqual(['demo']);
  });

  test('goes first by its name, and the others stay', async () => {
    await install('a');
    await install('b');
    expect([...(await choose('b')).keys()]).toEqual(['b', 'demo', 'a']);
  });

  test('may be a folder, which goes before an installed model of its name', async () => {
    await install('my-model');
    expect([...(await choose(elsewhere))]).toEqual([
      ['my-model', elsewhere],
      ['demo', expect.any(String) as string],
    ]);
  });

  test.each([
    ['/nowhere/at-all', `The model folder ${resolve('/nowhere/at-all')} does not exist.`],
    ['stable-diffusion-1.5', 'Stable Diffusion 1.5 is not on this machine yet.'],
    ['none-such', "There is no model 'none-such', and no such folder."],
    ['somebody/something', 'There is no model somebody/something in the Hugging Face cache, and no such folder.'],
  ])('%s is named when it is missing', async (chosen, message) => {
    const error = await rejectionOf(choose(chosen));
    expect(error).toMatchObject({ code: 'model-missing', message });
  });

  test('that is a folder of something else says what it expected', async () => {
    await mkdir(join(root, 'empty'));
    const error = await rejectionOf(choose(join(root, 'empty')));
    expect(error.message).toContain('model_index.json: there is no such file');
  });

  test('that can be downloaded says how', async () => {
    const error = await rejectionOf(choose('stable-diffusion-1.5'));
    expect(error.hint).toBe('Download it: npm run models -- pull stable-diffusion-1.5');
  });
});

describe('adding a folder', () => {
  test('takes its name, or the one that is given, and copies nothing', async () => {
    expect(await addModel(modelsDir, elsewhere)).toBe('my-model');
    expect(await addModel(modelsDir, elsewhere)).toBe('my-model');
    expect(await addModel(modelsDir, elsewhere, 'other')).toBe('other');
    expect([...findInstalledModels(modelsDir)].slice(1)).toEqual([
      ['my-model', elsewhere],
      ['other', elsewhere],
    ]);
    expect(existsSync(join(modelsDir, 'my-model'))).toBe(false);
  });

  test.each(['demo', 'stable-diffusion-1.5', 'installed', '../up', 'nul'])(
    'under the name %s is refused',
    async (name) => {
      await install('installed');
      const error = await rejectionOf(addModel(modelsDir, elsewhere, name));
      expect(error).toMatchObject({ code: 'invalid-request' });
    },
  );

  test('that the engine cannot load is refused', async () => {
    await writeFile(join(elsewhere, 'model_index.json'), '{"_class_name":"FluxPipeline"}');
    const error = await rejectionOf(addModel(modelsDir, elsewhere));
    expect(error).toMatchObject({ code: 'model-unsupported' });
    expect(names()).toEqual(['demo']);
  });

  test('with pickles says which file is needed instead', async () => {
    await rm(join(elsewhere, 'unet', 'diffusion_pytorch_model.safetensors'));
    await writeFile(join(elsewhere, 'unet', 'diffusion_pytorch_model.bin'), 'pickle');
    const error = await rejectionOf(addModel(modelsDir, elsewhere));
    expect(error).toMatchObject({ code: 'model-unsupported' });
    expect(error.message).toContain(join('unet', 'diffusion_pytorch_model.safetensors'));
  });

  test.each(['model.ckpt', 'model.bin', 'model.pt'])('of the one file %s is refused', async (name) => {
    await writeFile(join(root, name), 'pickle');
    const error = await rejectionOf(addModel(modelsDir, join(root, name), 'x'));
    expect(error).toMatchObject({ code: 'model-unsupported' });
    expect(error.message).toContain('pickle');
    expect(error.hint).toContain('diffusers');
  });
});

describe('a repository in the cache of Hugging Face', () => {
  test('is chosen by its name, its folder, or one of its commits', async () => {
    const home = await makeHome();
    const dir = home.path(await putRepository(home, 'someone/film-model', checkpointFiles()));
    const snapshot = join(dir, 'snapshots', madeCommit);
    for (const chosen of ['someone/film-model', dir, snapshot]) {
      const models = await chooseModels({ modelsDir, machine: home.machine, cacheDir: null }, chosen);
      expect([...models][0], chosen).toEqual(['someone/film-model', snapshot]);
    }
  });

  test('is added under its name without the owner', async () => {
    const home = await makeHome();
    const files: Record<string, Uint8Array> = {};
    for (const entry of await readdir(elsewhere, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files[relative(elsewhere, path).replaceAll('\\', '/')] = await readFile(path);
    }
    const dir = home.path(await putRepository(home, 'someone/film-model', files));
    expect(await addModel(modelsDir, dir)).toBe('film-model');
    expect(findInstalledModels(modelsDir).get('film-model')).toBe(join(dir, 'snapshots', madeCommit));
  });
});

describe('removing a model', () => {
  test('deletes what lies in the models folder', async () => {
    await install('a');
    expect(await removeModel(modelsDir, 'a')).toBe('deleted');
    expect(existsSync(join(modelsDir, 'a'))).toBe(false);
  });

  test('forgets a reference and leaves its folder', async () => {
    await addModel(modelsDir, elsewhere);
    expect(await removeModel(modelsDir, 'my-model')).toBe('reference');
    expect(names()).toEqual(['demo']);
    expect(existsSync(join(elsewhere, 'model_index.json'))).toBe(true);
  });

  test('takes away a link, not what it leads to', async () => {
    await mkdir(modelsDir, { recursive: true });
    await symlink(elsewhere, join(modelsDir, 'link'), 'junction');
    expect(await removeModel(modelsDir, 'link')).toBe('deleted');
    expect(existsSync(join(elsewhere, 'model_index.json'))).toBe(true);
    expect(names()).toEqual(['demo']);
  });

  test('deletes a download that was not finished', async () => {
    await writeFiles(stagingDir(modelsDir, 'half'), { 'unet/x.safetensors.part': 'x' });
    expect(await removeModel(modelsDir, 'half')).toBe('download');
    expect(existsSync(stagingDir(modelsDir, 'half'))).toBe(false);
  });

  test('deletes what a killed removal left', async () => {
    await install('a');
    const left = join(modelsDir, '.pulling', 'b~removed-1-2');
    await writeFiles(left, checkpointFiles());
    await removeModel(modelsDir, 'a');
    expect(existsSync(left)).toBe(false);
  });

  test.each(['none', '..', '../elsewhere', '.pulling', '', 'a/b', 'references.json'])(
    'of %j deletes nothing',
    async (name) => {
      await addModel(modelsDir, elsewhere);
      await writeFiles(root, { 'other/model_index.json': '{}' });
      expect(await rejectionOf(removeModel(modelsDir, name))).toMatchObject({ code: 'model-missing' });
      expect(existsSync(join(root, 'other', 'model_index.json'))).toBe(true);
      expect(names()).toEqual(['demo', 'my-model']);
    },
  );

  test('of the embedded one is refused', async () => {
    expect(await rejectionOf(removeModel(modelsDir, 'demo'))).toMatchObject({ code: 'invalid-request' });
  });
});

describe('verifying', () => {
  const record = (files: object[]) => ({
    'pulled.json': JSON.stringify({
      id: 'my-model',
      endpoint: 'https://example.org',
      repository: 'a/b',
      revision: 'c',
      licence: 'MIT',
      pulledAt: '2026-01-01T00:00:00.000Z',
      files,
    }),
  });
  /** A file that is no part of what is loaded. */
  const emptyPath = join('feature_extractor', 'config.json');
  const emptyObject = {
    path: 'feature_extractor/config.json',
    sizeBytes: 2,
    sha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    etag: null,
  };

  beforeEach(() => writeJson(join(elsewhere, 'feature_extractor'), 'config.json', {}));

  test('a folder without a record looks at its form only', async () => {
    expect(await verifyModel(elsewhere)).toEqual({ checkedFiles: 0, faults: [] });
  });

  test('compares the hashes of the record', async () => {
    await writeFiles(elsewhere, record([emptyObject]));
    expect(await verifyModel(elsewhere)).toEqual({ checkedFiles: 1, faults: [] });
    await writeFile(join(elsewhere, emptyPath), '[]');
    const { faults } = await verifyModel(elsewhere);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`${emptyPath}: its SHA-256 is `);
  });

  test('names every missing file once, and what the engine finds', async () => {
    await writeFiles(
      elsewhere,
      record([
        { ...emptyObject, path: 'tokenizer/vocab.json' },
        { ...emptyObject, path: 'gone.json' },
      ]),
    );
    await rm(join(elsewhere, 'tokenizer', 'vocab.json'));
    const { faults } = await verifyModel(elsewhere);
    expect(faults.map((fault) => basename(fault.split(':')[0] ?? ''))).toEqual(['vocab.json', 'gone.json']);
  });

  test('does not follow a record that leads out of the folder', async () => {
    await writeFiles(elsewhere, record([{ ...emptyObject, path: '../../../etc/passwd.json' }]));
    const { checkedFiles, faults } = await verifyModel(elsewhere);
    expect(checkedFiles).toBe(0);
    expect(faults[0]).toContain('pulled.json: record.files.0.path must be a relative path');
  });

  test('is not fooled by a changed record where the catalogue knows the hash', async () => {
    await writeFiles(elsewhere, record([emptyObject]));
    const files = [{ path: emptyObject.path, sizeBytes: 2, sha256: '0'.repeat(64) }];
    const hub = { repository: 'a/b', revision: 'c', downloadGigabytes: 0, files };
    const licence = { name: 'MIT', url: 'https://example.org' };
    const known = {
      id: 'my-model',
      title: '',
      kind: 'checkpoint' as const,
      family: 'x',
      goodFor: '',
      licence,
      memoryGigabytes: 0,
      hub,
    };
    expect((await verifyModel(elsewhere, { known })).faults).toHaveLength(1);
    const newer = { ...known, hub: { ...hub, revision: 'd' } };
    expect((await verifyModel(elsewhere, { known: newer })).faults).toEqual([]);
  });

  test('leaves the files as they are', async () => {
    await writeFiles(elsewhere, record([emptyObject]));
    await verifyModel(elsewhere);
    expect(await readFile(join(elsewhere, emptyPath), 'utf8')).toBe('{}');
  });
});
