import { expect, test } from 'vitest';
import { makeModelInfo, practiceVocabulary } from '../../../protocol/testing/models.ts';
import { HostError } from '../host/problems.ts';
import { openEffectsScene, selectionOf } from './testing/effects-scene.ts';

async function sceneWithSamples() {
  const scene = await openEffectsScene({ selection: selectionOf() });
  const practice = makeModelInfo({ id: 'practice', vocabulary: practiceVocabulary });
  scene.server.models = { ...scene.server.models, models: [makeModelInfo({ id: 'real' }), practice] };
  scene.server.cutAll();
  await scene.clock.runUntil(() => scene.store.state.models?.models.length === 2);
  return scene;
}

test('a sample clip is fetched and taken, with its model and with words that work', async () => {
  const scene = await sceneWithSamples();
  await scene.act({ type: 'sample-pressed', name: null });
  expect(scene.host.log).toEqual(['sample ball-grass.mp4, Red ball on grass, 1 2 3']);
  expect(scene.store.state.form).toMatchObject({
    model: 'practice',
    prompt: 'a blue ball on grass',
    sourcePrompt: 'a red ball on grass',
  });
});

test('another sample is taken by its name, and a name that is not known gives the first', async () => {
  const scene = await sceneWithSamples();
  await scene.act({ type: 'sample-pressed', name: 'car-city' });
  await scene.act({ type: 'sample-pressed', name: 'nothing' });
  expect(scene.host.log.map((line) => line.split(',')[0])).toEqual(['sample car-city.mp4', 'sample ball-grass.mp4']);
});

test('a sample that cannot be taken is told, and the words stay as they were', async () => {
  const scene = await sceneWithSamples();
  const before = scene.store.state.form;
  scene.host.sampleRefusal = new HostError('import-failed', 'Premiere did not import it.');
  await scene.act({ type: 'sample-pressed', name: null });
  expect(scene.store.state.toasts).toMatchObject([{ text: 'failed', problem: { code: 'import-failed' } }]);
  expect(scene.store.state.form).toEqual(before);
});
