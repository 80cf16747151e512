import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readPrompt, sampleFileName } from '../../../protocol/vocabulary.ts';
import { embeddedModelDir } from './installed-models.ts';
import { createLibrary } from './library/library.ts';
import { errorFrom } from './testing/error-from.ts';
import { readVocabulary, samplePath } from './vocabulary-file.ts';

async function folderWith(vocabulary?: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tokenflow-vocabulary-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  if (vocabulary !== undefined) await writeFile(join(dir, 'vocabulary.json'), vocabulary);
  return dir;
}

describe('the vocabulary of the embedded model', () => {
  test('has every sample clip, by its true size and hash, with the prompts that are known to work', async () => {
    const { samples } = readVocabulary(embeddedModelDir) ?? { samples: [] };
    const files = await readdir(join(embeddedModelDir, 'samples'));
    expect(samples.map((sample) => sampleFileName(sample)).sort()).toEqual(
      files.filter((file) => file.endsWith('.mp4')).sort(),
    );
    for (const { name, sizeBytes, sha256, sourcePrompt, prompts } of samples) {
      const bytes = await readFile(samplePath(embeddedModelDir, name));
      expect({ name, sizeBytes, sha256 }).toEqual({
        name,
        sizeBytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      });
      const text = await readFile(join(embeddedModelDir, 'samples', `${name}.json`), 'utf8');
      const { caption, targets } = JSON.parse(text) as { caption: string; targets: { prompt: string }[] };
      expect({ sourcePrompt, prompts }).toEqual({
        sourcePrompt: caption,
        prompts: targets.map(({ prompt }) => prompt),
      });
    }
  });

  test('knows all words of the prompts that it offers', () => {
    const vocabulary = readVocabulary(embeddedModelDir);
    if (vocabulary === null) throw new Error('There is none.');
    const prompts = vocabulary.samples.flatMap((sample) => [sample.sourcePrompt, ...sample.prompts]);
    expect(prompts.flatMap((prompt) => readPrompt(vocabulary, prompt).unknown)).toEqual([]);
  });

  test('is told of the embedded model, and of no other, before the machine has been looked at', async () => {
    const other = await folderWith();
    const first = new Map([
      ['demo', embeddedModelDir],
      ['other', other],
    ]);
    const library = createLibrary({ first, modelsDir: null, machine: null, cacheDir: null });
    expect(library.usableModels().map(({ id, vocabulary }) => [id, vocabulary?.samples.length])).toEqual([
      ['demo', 6],
      ['other', undefined],
    ]);
  });
});

test.each([
  ['no JSON', '{'],
  ['a sample that is named like a path', '{"sentence":"x","parts":[],"samples":[{"name":"../x"}]}'],
])('a vocabulary with %s is left out, and said', async (_what, text) => {
  const dir = await folderWith(text);
  expect(errorFrom(() => readVocabulary(dir)).code).toBe('model-damaged');
  const library = createLibrary({ first: new Map([['mine', dir]]), modelsDir: null, machine: null, cacheDir: null });
  await library.refresh();
  expect(library.lists().notices).toEqual([
    'The words of mine cannot be read: vocabulary.json in its folder is damaged.',
  ]);
  expect(library.lists().models).toMatchObject([{ id: 'mine', vocabulary: null }]);
});

test.each(['../demo/model_index', 'no-such', '__proto__', ''])('%j is no sample and leads to no file', (name) => {
  expect(errorFrom(() => samplePath(embeddedModelDir, name)).code).toBe('invalid-request');
});
