import { describe, expect, test } from 'vitest';
import { makeLoraInfo, makeModelInfo } from '../../../protocol/testing/models.ts';
import { groupFiles, loraFiles, modelFiles } from './model-list.ts';

const files = modelFiles([
  makeModelInfo({ id: 'sd15', title: 'Stable Diffusion 1.5', source: 'downloaded' }),
  makeModelInfo({ id: 'film', source: 'comfyui', folder: 'models/checkpoints/Cinema' }),
  makeModelInfo({ id: 'demo' }),
  makeModelInfo({ id: 'paint', source: 'comfyui', family: 'Stable Diffusion XL' }),
]);

const idsOf = (filter: string) =>
  groupFiles(files, filter).map(({ source, files: of }) => [source, of.map(({ id }) => id)]);

describe('the list', () => {
  test('is grouped by place, in the order of the places, and keeps the order within', () => {
    expect(idsOf('')).toEqual([
      ['embedded', ['demo']],
      ['downloaded', ['sd15']],
      ['comfyui', ['film', 'paint']],
    ]);
  });

  test.each([
    ['  XL ', [['comfyui', ['paint']]]],
    ['cinema', [['comfyui', ['film']]]],
    ['diffusion 1.5', [['downloaded', ['sd15']]]],
    ['diffusion film', [['comfyui', ['film']]]],
    ['nothing like it', []],
  ])('finds by %j', (filter, groups) => {
    expect(idsOf(filter)).toEqual(groups);
  });

  test('has LoRAs by the names that settings use', () => {
    expect(groupFiles(loraFiles([makeLoraInfo({ name: 'grain' })]), 'GRAIN')).toMatchObject([
      { source: 'comfyui', files: [{ id: 'grain' }] },
    ]);
  });
});
