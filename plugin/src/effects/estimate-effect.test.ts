import { expect, test } from 'vitest';
import type { EstimateState } from '../state/panel-state.ts';
import { fileClip, lastJob, openEffectsScene, selectionOf, timelineClip } from './testing/effects-scene.ts';

const restMs = 500;

test('a file is estimated, and its preview, as soon as it is there and whenever the numbers change', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toMatchObject({ name: 'known', estimate: { seconds: 20 }, previewSeconds: 2 });
  await scene.act({ type: 'form-changed', change: { steps: 50 } });
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toMatchObject({ estimate: { seconds: 50 }, previewSeconds: 5 });
});

test('words and seeds take no time, and nobody is asked about every step of the slider', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(restMs);
  const questions = () => scene.asked.filter((type) => type === 'estimate').length;
  const before = questions();
  await scene.act({ type: 'form-changed', change: { prompt: 'a fox' } }, { type: 'seed-rolled', seed: 5 });
  await scene.clock.advance(restMs);
  expect(questions()).toBe(before);
  for (const strength of [0.5, 0.6, 0.7, 0.8]) {
    await scene.act({ type: 'form-changed', change: { strength } });
    await scene.clock.advance(restMs / 5);
  }
  await scene.clock.advance(restMs);
  // Of the edit and of its preview in one.
  expect(questions()).toBe(before + 1);
});

/** What a person may see from the next event on: the estimate with the steps of the form, once all flows have heard of it. */
function watchEstimates({ store }: Awaited<ReturnType<typeof openEffectsScene>>) {
  const shown: { readonly steps: number | null; readonly estimate: EstimateState }[] = [];
  store.subscribe(() =>
    queueMicrotask(() => shown.push({ steps: store.state.form.steps, estimate: store.state.estimate })),
  );
  return shown;
}

test('an answer that comes after that of a newer question is not shown', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  const held: (() => void)[] = (scene.server.heldEstimates = []);
  for (const steps of [30, 50]) {
    await scene.act({ type: 'form-changed', change: { steps } });
    await scene.clock.advance(restMs);
  }
  const [older, newer] = held.slice(-2);
  newer?.();
  await scene.clock.settle();
  expect(scene.store.state.estimate).toMatchObject({ name: 'known', estimate: { seconds: 50 }, previewSeconds: 5 });
  older?.();
  await scene.clock.settle();
  expect(scene.store.state.estimate).toMatchObject({ name: 'known', estimate: { seconds: 50 }, previewSeconds: 5 });
  // The newer one is not asked again for that the older one has ended.
  const asked = held.length;
  await scene.act({ type: 'form-changed', change: { prompt: 'a fox' } });
  await scene.clock.advance(restMs);
  expect(held).toHaveLength(asked);
});

test('no estimate is ever shown under settings that it is not of, in whatever order the answers come', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.act({ type: 'form-changed', change: { steps: 20 } });
  await scene.clock.advance(restMs);
  const held: (() => void)[] = (scene.server.heldEstimates = []);
  const shown = watchEstimates(scene);
  for (const steps of [30, 40, 50]) {
    await scene.act({ type: 'form-changed', change: { steps } });
    await scene.clock.advance(restMs);
    // The form changes while the answer to the question before is on its way, and before the next one is asked.
    await scene.act({ type: 'form-changed', change: { steps: steps + 5 } });
    held.at(-1)?.();
    await scene.clock.advance(restMs);
  }
  for (const answer of held.toReversed()) answer();
  await scene.clock.settle();
  expect(scene.store.state.estimate).toMatchObject({ name: 'known', estimate: { seconds: 55 } });
  for (const { steps, estimate } of shown) {
    if (estimate.name === 'known') expect(estimate.estimate.seconds).toBe(steps);
  }
});

test('an estimate that the server has ended for a newer one is no failure', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  scene.server.heldEstimates = [];
  await scene.act({ type: 'form-changed', change: { steps: 30 } });
  await scene.clock.advance(restMs);
  const asked = scene.server.heard.findLast(({ type }) => type === 'estimate');
  if (asked?.type !== 'estimate') throw new Error('Nothing was asked.');
  const { requestId, estimateId } = asked;
  scene.server.tell({ type: 'estimate-canceled', requestId, estimateId });
  await scene.clock.settle();
  expect(scene.store.state.estimate).toEqual({ name: 'asking' });
  scene.server.heldEstimates = null;
  await scene.act({ type: 'form-changed', change: { steps: 40 } });
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toMatchObject({ name: 'known', estimate: { seconds: 40 } });
});

test('an answer that comes when the clip is gone from the selection is not shown', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(restMs);
  const held: (() => void)[] = (scene.server.heldEstimates = []);
  await scene.act({ type: 'form-changed', change: { steps: 30 } });
  await scene.clock.advance(restMs);
  await scene.act({ type: 'selection-read', selection: selectionOf(timelineClip) });
  for (const answer of held) answer();
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toEqual({ name: 'none' });
});

test('an estimate of which the server is not able says why', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  scene.server.refuse('estimate', 'model-missing');
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toMatchObject({ name: 'failed', problem: { code: 'model-missing' } });
});

test('a clip on a timeline is guessed at by what earlier edits took', async () => {
  const scene = await openEffectsScene();
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toEqual({ name: 'none' });
  await scene.act({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  scene.server.changeJob(lastJob(scene), 'done');
  await scene.runUntil('done');
  await scene.clock.advance(restMs);
  expect(scene.store.state.estimate).toEqual({ name: 'guess', seconds: 40 });
  // A draft takes other evaluations per step: nothing is known of it before the first one.
  await scene.act({ type: 'form-changed', change: { pipeline: 'draft' } });
  expect(scene.store.state.estimate).toEqual({ name: 'none' });
  await scene.act({ type: 'form-changed', change: { pipeline: 'fast' } });
  expect(scene.store.state.estimate).toEqual({ name: 'guess', seconds: 40 });
  expect(scene.asked).not.toContain('estimate');
});

test('the server is asked again after an edit, which it has learned from', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(restMs);
  const questions = () => scene.asked.filter((type) => type === 'estimate').length;
  const before = questions();
  await scene.act({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  scene.server.changeJob(lastJob(scene), 'done');
  await scene.runUntil('done');
  await scene.clock.advance(restMs);
  expect(questions()).toBe(before + 1);
});
