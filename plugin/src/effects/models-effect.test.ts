import { describe, expect, test } from 'vitest';
import { licenceHash } from '../../../protocol/client/testing/fake-state.ts';
import {
  makeDownload,
  makeLoraInfo,
  makeModelInfo,
  makeOffer,
  nothingElse,
  practiceVocabulary,
} from '../../../protocol/testing/models.ts';
import { chosenModel, usableModels } from '../state/choices.ts';
import { openEffectsScene, type EffectsScene } from './testing/effects-scene.ts';

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
    ...nothingElse,
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

describe('a download', () => {
  const offers = [makeOffer({ id: 'sd', title: 'SD' }), makeOffer({ id: 'other' })];
  const offering = async () => {
    const scene = await openEffectsScene();
    const practice = makeModelInfo({ id: 'practice', vocabulary: practiceVocabulary });
    scene.server.models = { ...scene.server.models, models: [practice], offers };
    await scene.act({ type: 'get-model-pressed' });
    return scene;
  };
  const heard = ({ server }: EffectsScene) => server.heard.filter(({ type }) => type.startsWith('model-'));

  test('asks for the licence first, and begins with the very licence that was shown', async () => {
    const scene = await offering();
    await scene.act({ type: 'model-download-pressed', modelId: 'sd' });
    expect(scene.store.state.overlay).toMatchObject({ name: 'licence', title: 'SD', licence: { text: 'Be fair.' } });
    expect(heard(scene)).toEqual([]);
    await scene.act({ type: 'licence-accepted', modelId: 'sd', sha256: licenceHash });
    expect(heard(scene)).toMatchObject([{ type: 'model-download', modelId: 'sd', acceptedLicence: licenceHash }]);
    expect(scene.store.state.overlay).toMatchObject({ name: 'models', kind: 'get', problem: null });
  });

  test('of a declined licence is not begun', async () => {
    const scene = await offering();
    await scene.act({ type: 'model-download-pressed', modelId: 'sd' }, { type: 'licence-declined' });
    expect(heard(scene)).toEqual([]);
    expect(scene.store.state.overlay).toMatchObject({ name: 'models', kind: 'get' });
  });

  test('that is on its way is paused, resumed without the licence, and canceled', async () => {
    const scene = await offering();
    scene.server.tell({ type: 'model-downloads', downloads: [makeDownload({ id: 'sd' })] });
    await scene.clock.settle();
    expect(scene.store.state.downloads).toMatchObject([{ id: 'sd', state: 'running' }]);
    await scene.act(
      { type: 'model-pause-pressed', modelId: 'sd' },
      { type: 'model-download-pressed', modelId: 'sd' },
      { type: 'model-cancel-pressed', modelId: 'sd' },
    );
    expect(heard(scene).map(({ type }) => type)).toEqual([
      'model-download-pause',
      'model-download',
      'model-download-cancel',
    ]);
    expect(scene.store.state.overlay).toMatchObject({ name: 'models' });
  });

  test('that is done is told, and its model takes the place of the practice model', async () => {
    const scene = await offering();
    scene.server.tell({ type: 'model-downloads', downloads: [makeDownload({ id: 'sd' })] });
    const models = [...scene.server.models.models, makeModelInfo({ id: 'sd', source: 'downloaded' })];
    scene.server.models = { ...scene.server.models, models, offers: [makeOffer({ id: 'sd', state: 'here' })] };
    scene.server.tell({ type: 'model-downloads', downloads: [] });
    scene.server.tell({ type: 'models-changed' });
    await scene.clock.settle();
    expect(scene.store.state.toasts).toMatchObject([{ text: 'model-ready' }]);
    expect(chosenModel(scene.store.state)?.id).toBe('sd');
    // Only once.
    scene.server.tell({ type: 'models-changed' });
    await scene.clock.settle();
    expect(scene.store.state.toasts).toHaveLength(1);
  });

  test('that ended while the connection was lost is not shown any more', async () => {
    const scene = await offering();
    scene.server.tell({ type: 'model-downloads', downloads: [makeDownload({ id: 'sd' })] });
    await scene.clock.settle();
    scene.server.cutAll();
    await scene.clock.runUntil(() => scene.store.state.link.name !== 'online');
    expect(scene.store.state.downloads).toHaveLength(1);
    await scene.clock.runUntil(() => scene.store.state.link.name === 'online');
    expect(scene.store.state.downloads).toEqual([]);
  });

  test('that is on its way is told to a panel that connects', async () => {
    const scene = await offering();
    scene.server.downloads = [makeDownload({ id: 'sd', state: 'paused' })];
    scene.server.cutAll();
    await scene.clock.runUntil(() => scene.store.state.downloads.length === 1);
    expect(scene.store.state.downloads).toMatchObject([{ id: 'sd', state: 'paused' }]);
  });

  test('that the server refuses shows why in the list', async () => {
    const scene = await offering();
    scene.server.refuse('model-download', 'limit-reached');
    await scene.act({ type: 'model-download-pressed', modelId: 'sd' });
    await scene.act({ type: 'licence-accepted', modelId: 'sd', sha256: licenceHash });
    expect(scene.store.state.overlay).toMatchObject({ name: 'models', problem: { code: 'limit-reached' } });
  });
});

test('a model is removed after the question, and a refusal is shown in the list', async () => {
  const scene = await openEffectsScene();
  const remove = { type: 'model-remove-confirmed', kind: 'lora', name: 'grain' } as const;
  await scene.act(remove);
  expect(scene.server.heard.at(-1)).toMatchObject({ type: 'model-remove', kind: 'lora', name: 'grain' });
  expect(scene.store.state.overlay).toMatchObject({ name: 'models', kind: 'loras' });
  expect(scene.store.state.toasts).toMatchObject([{ text: 'model-removed' }]);
  scene.server.refuse('model-remove', 'invalid-request');
  await scene.act(remove);
  expect(scene.store.state.overlay).toMatchObject({ name: 'models', problem: { code: 'invalid-request' } });
});
