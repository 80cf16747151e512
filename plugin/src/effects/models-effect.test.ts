import { expect, test } from 'vitest';
import { makeLoraInfo, makeModelInfo } from '../../../protocol/testing/models.ts';
import { chosenModel, usableModels } from '../state/choices.ts';
import { openEffectsScene } from './testing/effects-scene.ts';

const opened = {
  type: 'overlay-opened',
  overlay: { name: 'models', kind: 'models', filter: '', isLooking: true, problem: null },
} as const;

test('the models of the machine are known as soon as the panel is connected', async () => {
  const scene = await openEffectsScene();
  expect(scene.store.state.models?.models.map(({ id }) => id)).toEqual(['demo']);
});

test('a model that has come since is in the list when it is opened, and can be chosen', async () => {
  const scene = await openEffectsScene();
  const found = makeModelInfo({ id: 'film', source: 'comfyui' });
  const broken = makeModelInfo({ id: 'old', problem: 'It is a pickle.' });
  scene.server.models = {
    models: [...scene.server.models.models, found, broken],
    loras: [makeLoraInfo({ name: 'grain' }), makeLoraInfo({ name: 'old', problem: 'It is a pickle.' })],
    notices: ['ComfyUI, models/vae: there is no permission to read it.'],
  };
  await scene.act(opened);
  expect(scene.store.state.overlay).toMatchObject({ name: 'models', isLooking: false, problem: null });
  expect(scene.store.state.models).toEqual(scene.server.models);
  // The form offers those that can be used.
  expect(scene.store.state.loras).toEqual([{ name: 'grain', title: 'grain', family: 'Stable Diffusion 1.x' }]);
  expect(usableModels(scene.store.state).map(({ id }) => id)).toEqual(['demo', 'film']);
  await scene.act({ type: 'form-changed', change: { model: 'film' } });
  expect(chosenModel(scene.store.state)?.id).toBe('film');
  await scene.act({ type: 'form-changed', change: { model: 'old' } });
  expect(chosenModel(scene.store.state)?.id).toBe('demo');
});

test('a refusal is shown in the list, which keeps what was known', async () => {
  const scene = await openEffectsScene();
  scene.server.refuse('models-get', 'limit-reached');
  await scene.act(opened);
  expect(scene.store.state.overlay).toMatchObject({ isLooking: false, problem: { code: 'limit-reached' } });
  expect(scene.store.state.models?.models).toHaveLength(1);
});
