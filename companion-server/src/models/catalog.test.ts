import { readFileSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorFrom } from './testing/error-from.ts';
import { parseCatalog } from './catalog-file.ts';
import { readCatalog } from './catalog.ts';
import { complainAboutFilePath, complainAboutModelName } from './file-names.ts';

const sha256 = '0'.repeat(64);
const file = { path: 'unet/config.json', sizeBytes: 3, sha256 };
const hub = {
  repository: 'someone/something',
  revision: 'a'.repeat(40),
  downloadGigabytes: 1,
  files: [file],
};
const model = {
  id: 'some-model',
  title: 'Some model',
  kind: 'checkpoint' as const,
  family: 'Stable Diffusion 1.x',
  goodFor: 'Tests.',
  licence: { name: 'MIT', url: 'https://example.org/licence' },
  memoryGigabytes: 2,
  hub,
};

const parse = (...models: unknown[]) => parseCatalog(JSON.stringify({ models }), '/catalog.json');
const withHub = (changes: object) => ({ ...model, hub: { ...hub, ...changes } });
const withFile = (changes: object) => withHub({ files: [file, { ...file, ...changes }] });

describe('the catalogue of the program', () => {
  const catalog = readCatalog();

  test('has the embedded model first, and the community mirror of Stable Diffusion 1.5', () => {
    expect(catalog.map(({ id }) => id).slice(0, 2)).toEqual(['demo', 'stable-diffusion-1.5']);
    expect(catalog[0]?.hub).toBeNull();
    expect(catalog[1]?.hub?.repository).toBe('stable-diffusion-v1-5/stable-diffusion-v1-5');
  });

  const downloads = catalog.flatMap((model) => (model.hub === null ? [] : [{ ...model, hub: model.hub }]));
  const checkpoints = downloads.filter(({ kind }) => kind === 'checkpoint');

  test.each(checkpoints.map((model) => [model.id, model] as const))(
    '%s has every part that a checkpoint needs',
    (_id, { family, hub: { files } }) => {
      const paths = files.map(({ path }) => path.replace('.fp16.safetensors', '.safetensors'));
      const numbers = family === 'Stable Diffusion XL' ? ['', '_2'] : [''];
      expect(paths).toEqual(
        expect.arrayContaining([
          'model_index.json',
          'scheduler/scheduler_config.json',
          'unet/config.json',
          'unet/diffusion_pytorch_model.safetensors',
          'vae/config.json',
          'vae/diffusion_pytorch_model.safetensors',
          ...numbers.flatMap((number) => [
            `text_encoder${number}/config.json`,
            `text_encoder${number}/model.safetensors`,
            `tokenizer${number}/merges.txt`,
            `tokenizer${number}/vocab.json`,
          ]),
        ]),
      );
    },
  );

  test('has LoRAs, a VAE and a decoder, of weights only', () => {
    const others = downloads.filter(({ kind }) => kind !== 'checkpoint');
    expect(new Set(others.map(({ kind }) => kind))).toEqual(new Set(['lora', 'vae', 'decoder']));
    for (const { id, hub: source } of others) {
      const weights = source.files.filter(({ path }) => path.endsWith('.safetensors'));
      expect(weights, id).not.toEqual([]);
      expect(
        source.files.every(({ path }) => !path.includes('/')),
        id,
      ).toBe(true);
    }
  });

  test('is what docs/models.md says', () => {
    const document = readFileSync(new URL('../../../docs/models.md', import.meta.url), 'utf8');
    for (const { id, licence, memoryGigabytes, hub: source } of catalog) {
      const row = document.split('\n').find((line) => line.startsWith(`| \`${id}\` |`)) ?? '';
      const download = source === null ? 'comes with it' : `${source.downloadGigabytes} GB`;
      const memory = memoryGigabytes === 0 ? 'none' : `${memoryGigabytes} GB`;
      expect(row).toMatch(new RegExp(`\\| ${download} \\| ${memory} \\| `));
      expect(row).toContain(` ${licence.name} |`);
    }
  });

  test('says about as many gigabytes as the known sizes add up to', () => {
    const sized = catalog.flatMap(({ hub: source }) => (source === null ? [] : [source]));
    const known = sized.filter(({ files }) => files.every(({ sizeBytes }) => sizeBytes !== null));
    expect(known).not.toEqual([]);
    for (const { files, downloadGigabytes } of known) {
      const bytes = files.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
      expect(downloadGigabytes).toBeCloseTo(bytes / 1e9, 1);
    }
  });
});

describe('a catalogue', () => {
  test('is read as it is', () => {
    expect(parse(model, { ...model, id: 'other', hub: null })).toEqual([model, { ...model, id: 'other', hub: null }]);
  });

  test('may leave sizes and hashes open', () => {
    const [read] = parse(withFile({ path: 'b.json', sizeBytes: null, sha256: null }));
    expect(read?.hub?.files[1]).toEqual({ path: 'b.json', sizeBytes: null, sha256: null });
  });

  test.each([
    [{ ...model, id: undefined }, 'catalog.models.0.id must be a text, got nothing.'],
    [{ ...model, id: '../demo' }, 'catalog.models.0.id must be 1 to 64 letters'],
    [{ ...model, id: 'nul' }, 'catalog.models.0.id must be 1 to 64 letters'],
    [
      { ...model, licence: { name: 'MIT', url: 'javascript:1' } },
      'catalog.models.0.licence.url must be an https address',
    ],
    [{ ...model, kind: 'controlnet' }, 'catalog.models.0.kind must be one of checkpoint, lora, vae, decoder'],
    [{ ...model, price: 1 }, 'catalog.models.0.price is not known'],
    [{ ...model, memoryGigabytes: '4' }, 'catalog.models.0.memoryGigabytes must be between'],
    [withHub({ revision: 'main' }), 'catalog.models.0.hub.revision must be 40 lower-case hex'],
    [withHub({ repository: '../..' }), 'catalog.models.0.hub.repository must be an owner and a name'],
    [withHub({ repository: 'a/b/c' }), 'catalog.models.0.hub.repository must be an owner and a name'],
    [withFile({ path: 'b.json', sizeBytes: -1 }), 'catalog.models.0.hub.files.1.sizeBytes must be between'],
    [withFile({ path: 'b.json', sha256: 'abc' }), 'catalog.models.0.hub.files.1.sha256 must be 64'],
    [withFile({ path: 'UNet/config.json' }), 'catalog.models.0.hub.files.1.path is the same as in files.0.'],
    [
      withFile({ path: 'unet/diffusion_pytorch_model.fp16.bin' }),
      'name unet/diffusion_pytorch_model.fp16.safetensors instead',
    ],
    [withFile({ path: 'text_encoder/pytorch_model.bin' }), 'name text_encoder/model.safetensors instead'],
    [withFile({ path: 'unet/run.py' }), 'catalog.models.0.hub.files.1.path must end in .safetensors, .json or .txt'],
  ])('%# is refused with the path of the field', (bad, message) => {
    const error = errorFrom(() => parse(bad));
    expect(error).toMatchObject({ code: 'model-damaged' });
    expect(error.message).toContain('/catalog.json: ');
    expect(error.message).toContain(message);
  });

  test('cannot name two models alike', () => {
    expect(errorFrom(() => parse(model, model)).message).toContain('catalog.models.1.id is the same as in models.0.');
  });

  test('that is no JSON is refused', () => {
    expect(errorFrom(() => parseCatalog('{', '/c.json')).message).toMatch(/^\/c\.json: catalog must be JSON/);
  });
});

describe('names', () => {
  test.each([
    ...['/etc/passwd.json', '../x.json', 'a/../b.json', 'a//b.json', './a.json', 'a/./b.json'],
    ...['C:/a.json', 'a\\b.json', 'a:b.json', 'a b.json', 'a\0.json', 'é.json', '', '.hidden.json'],
    ...['unet/NUL.json', 'con/a.json', 'a./b.json', 'a.json ', '~/a.json', '%2e%2e/a.json'],
  ])('%j is no path of a file', (path) => {
    expect(complainAboutFilePath(path)).toBeDefined();
  });

  test('a path that is let through stays below the folder on every system', () => {
    const parts = ['..', '.', '', 'a', 'unet', '\\', ':', 'C:', '/', 'nul', 'x.json', '%2f', '\0'];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('/', '', '\\'),
        (segments, separator) => {
          const path = segments.join(separator);
          fc.pre(complainAboutFilePath(path) === undefined);
          for (const system of [posix, win32]) {
            const below = system.relative(system.resolve('/m'), system.resolve('/m', path));
            expect(below.split(system.sep)).toEqual(path.split('/'));
            expect(below.split(system.sep)).not.toContain('..');
            expect(system.isAbsolute(below)).toBe(false);
          }
        },
      ),
    );
  });

  test.each(['', '..', '.a', 'a/b', 'a\\b', 'COM1', 'lpt9.x', 'a.', 'x'.repeat(65), '-a'])(
    '%j is no name of a model',
    (name) => expect(complainAboutModelName(name)).toBeDefined(),
  );

  test.each(['demo', 'stable-diffusion-1.5', 'My_Model', '7'])('%j is a name', (name) => {
    expect(complainAboutModelName(name)).toBeUndefined();
  });
});
