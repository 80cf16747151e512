import { expect, test } from 'vitest';
import { fileClip, lastJob, openFlowScene, selectionOf } from './testing/flow-scene.ts';

const restMs = 500;

test('a file is estimated, and its preview, as soon as it is there and whenever the numbers change', async () => {
  const scene = await openFlowScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toMatchObject({ name: 'known', estimate: { seconds: 20 }, previewSeconds: 2 });
  await scene.act({ type: 'form-changed', change: { steps: 50 } });
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toMatchObject({ estimate: { seconds: 50 }, previewSeconds: 5 });
});

test('words and seeds take no time, and nobody is asked about every step of the dial', async () => {
  const scene = await openFlowScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(restMs);
  const questions = () => scene.asked.filter((type) => type === 'estimate').length;
  const before = questions();
  await scene.act({ type: 'form-changed', change: { prompt: 'a fox' } }, { type: 'seed-rolled', seed: 5 });
  await scene.clock.advance(restMs);
  expect(questions()).toBe(before);
  for (const dial of [0.5, 0.6, 0.7, 0.8]) {
    await scene.act({ type: 'form-changed', change: { dial } });
    await scene.clock.advance(restMs / 5);
  }
  await scene.clock.advance(restMs);
  // Of the edit and of its preview.
  expect(questions()).toBe(before + 2);
});

test('an estimate of which the server is not able says why', async () => {
  const scene = await openFlowScene({ selection: selectionOf(fileClip) });
  scene.server.refuse('estimate', 'model-missing');
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toMatchObject({ name: 'failed', problem: { code: 'model-missing' } });
});

test('a clip on a timeline is guessed at by what earlier edits took', async () => {
  const scene = await openFlowScene();
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toEqual({ name: 'none' });
  await scene.act({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  scene.server.changeJob(lastJob(scene), 'done');
  await scene.runUntil('done');
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toEqual({ name: 'guess', seconds: 40 });
  expect(scene.asked).not.toContain('estimate');
});

test('the server is asked again after an edit, which it has learned from', async () => {
  const scene = await openFlowScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(restMs);
  const questions = () => scene.asked.filter((type) => type === 'estimate').length;
  const before = questions();
  await scene.act({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  scene.server.changeJob(lastJob(scene), 'done');
  await scene.runUntil('done');
  await scene.clock.advance(restMs);
  expect(questions()).toBe(before + 2);
});
