import { expect, test } from 'vitest';
import { withControl } from '../state/controls.ts';
import { fileClip, openEffectsScene, selectionOf, timelineClip } from './testing/effects-scene.ts';

const controls = withControl(withControl(withControl([], 'canny'), 'tile'), 'canny');

test('each kind of control picture is fetched once for a frame, while Advanced is open, and given up after it', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(fileClip) });
  const pictures = (): readonly string[] => Object.keys(scene.store.state.controlPictures).sort();
  const requests = (): number => scene.asked.filter((type) => type === 'control-picture-get').length;
  await scene.clock.advance(500);
  await scene.act({ type: 'form-changed', change: { controls } });
  await scene.clock.settle();
  expect([pictures(), requests()]).toEqual([[], 0]);
  await scene.act({ type: 'advanced-toggled' });
  await scene.clock.settle();
  expect([pictures(), requests()]).toEqual([['canny', 'tile'], 2]);
  await scene.act({ type: 'form-changed', change: { controls: controls.slice(0, 1) } });
  await scene.clock.settle();
  expect([pictures(), requests()]).toEqual([['canny'], 2]);
  const before = scene.store.state.controlPictures.canny;
  await scene.act({ type: 'region-frame-chosen', frame: 3 });
  await scene.clock.settle();
  expect(scene.store.state.controlPictures.canny).not.toBe(before);
  expect(requests()).toBe(3);
  await scene.act({ type: 'advanced-toggled' });
  await scene.clock.settle();
  expect([pictures(), scene.openPictures.size]).toEqual([[], 0]);
});

test('a clip of a timeline has control pictures after a frame of it was asked for', async () => {
  const scene = await openEffectsScene({ selection: selectionOf(timelineClip) });
  await scene.act({ type: 'advanced-toggled' }, { type: 'form-changed', change: { controls } });
  await scene.clock.settle();
  expect(scene.store.state.controlPictures).toEqual({});
  await scene.act({ type: 'region-still-pressed' });
  await scene.clock.settle();
  expect(Object.keys(scene.store.state.controlPictures).sort()).toEqual(['canny', 'tile']);
});
