import { expect, it } from 'vitest';
import { requireUnused, type EditWithModels } from './model-use.ts';

const editOf = (model: string | null, more: Partial<EditWithModels['settings']> = {}): EditWithModels => ({
  model,
  settings: { prompt: 'a blue ball', loras: [], ...more },
});

it.each([
  ['its model', editOf('mine'), undefined],
  ['the default model', editOf(null), undefined],
  ['one of its LoRAs', editOf('other', { loras: [{ name: 'mine', strength: 1 }] }), undefined],
  ['its VAE', editOf('other', { vae: 'mine' }), undefined],
  ['a model that lends its own a part', editOf('one-file'), () => Promise.resolve(['mine'])],
])('an unfinished edit keeps %s from being removed, and is named', async (_what, edit, donorsOf) => {
  await expect(requireUnused('mine', [editOf('another'), edit], 'mine', donorsOf)).rejects.toMatchObject({
    code: 'model-in-use',
    message: 'mine cannot be removed: the edit "a blue ball" uses it.',
    hint: expect.stringContaining('cancel it') as string,
  });
});

it('what no unfinished edit uses can be removed', async () => {
  await requireUnused('mine', [editOf('another', { vae: 'plain', loras: [{ name: 'look', strength: 1 }] })], 'another');
  await requireUnused('mine', [], 'mine');
});
