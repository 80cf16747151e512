import { expect, test } from 'vitest';
import { fileClip, openEffectsScene, selectionOf, timelineClip } from './testing/effects-scene.ts';

test('a file has a still as soon as a region is to be drawn, and another for another frame', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(500);
  expect(scene.store.state.region.still).toEqual({ name: 'none' });
  await scene.act({ type: 'region-changed', change: { kind: 'drawn' } });
  await scene.clock.settle();
  const { still } = scene.store.state.region;
  expect(still).toMatchObject({ name: 'shown', frame: 0 });
  await scene.act({ type: 'region-frame-chosen', frame: 3 });
  await scene.clock.settle();
  expect(scene.store.state.region.still).toMatchObject({ name: 'shown', frame: 3 });
});

test('a clip of a timeline is exported when its still is asked for, and exported again for the edit of how it looks then', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(timelineClip) });
  await scene.act({ type: 'region-changed', change: { kind: 'drawn' } });
  await scene.clock.settle();
  expect(scene.store.state.region.still).toEqual({ name: 'none' });
  expect(scene.store.state.prepared).toBeNull();
  await scene.act({ type: 'region-still-pressed' });
  await scene.clock.settle();
  expect(scene.store.state.region.still).toMatchObject({ name: 'shown', frame: 0 });
  await scene.act(
    { type: 'form-changed', change: { prompt: 'a fox' } },
    {
      type: 'region-drawn',
      places: [
        { x: 0, y: 0 },
        { x: 0.5, y: 0.5 },
      ],
    },
    { type: 'apply-pressed' },
  );
  const task = scene.store.state.tasks.at(-1);
  expect(scene.host.log.filter((line) => line === 'exported')).toHaveLength(2);
  expect(task?.settings.mask?.drawn).toEqual([
    { frame: 0, shapes: [{ kind: 'rectangle', points: [0, 0, 0.5, 0.5], erases: false }] },
  ]);
});

test('a still that cannot be had is asked for once', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  await scene.clock.advance(500);
  scene.server.refuse('frame-get', 'clip-missing');
  await scene.act({ type: 'region-changed', change: { kind: 'drawn' } });
  await scene.clock.settle();
  expect(scene.store.state.region.still).toEqual({ name: 'failed' });
  await scene.act({ type: 'region-frame-chosen', frame: 3 });
  await scene.clock.settle();
  expect(scene.store.state.region.still).toMatchObject({ name: 'shown', frame: 3 });
});
