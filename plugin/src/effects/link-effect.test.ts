import { expect, test } from 'vitest';
import { isStopped } from '../state/choices.ts';
import { openEffectsScene } from './testing/effects-scene.ts';

test('a full disk of the server is told with how much is missing and which setting moves the folder', async () => {
  const scene = await openEffectsScene();
  const shortage = { folder: 'data', freeBytes: 0, missingBytes: 32_000_000 } as const;
  scene.server.tell({ type: 'disk-changed', shortages: [shortage] });
  await scene.clock.settle();
  expect(scene.store.state.toasts).toMatchObject([
    {
      problem: {
        code: 'disk-full',
        message: "The disk of the server's data folder has 0 MB free, 32 MB too little.",
        hint: 'Free some space there, or set TOKENFLOW_DATA to a folder on a larger disk.',
      },
    },
  ]);
  scene.server.tell({ type: 'disk-changed', shortages: [] });
  await scene.clock.settle();
  expect(scene.store.state.toasts).toHaveLength(1);
});

test('an app that has stopped is told within three seconds, and the panel is back as soon as it runs again', async () => {
  const scene = await openEffectsScene();
  scene.server.isUp = false;
  scene.server.cutAll();
  await scene.clock.settle();
  expect(isStopped(scene.store.state)).toBe(false);
  await scene.clock.advance(3_000);
  expect(isStopped(scene.store.state)).toBe(true);

  await scene.act({ type: 'start-pressed' });
  expect(scene.host.log).toContain('start asked');
  expect(scene.store.state.start).toBe('starting');
  // The pauses between attempts have grown; an app that was asked to start is looked for every second.
  await scene.clock.advance(5_000);
  scene.server.isUp = true;
  await scene.clock.advance(1_000);
  expect(scene.store.state).toMatchObject({ link: { name: 'online' }, start: 'idle' });
});

test('an app that does not start in half a minute is told, and so is a host that refuses to start it', async () => {
  const scene = await openEffectsScene();
  scene.server.isUp = false;
  scene.server.cutAll();
  await scene.act({ type: 'start-pressed' });
  await scene.clock.advance(29_000);
  expect(scene.store.state.start).toBe('starting');
  await scene.clock.advance(2_000);
  expect(scene.store.state.start).toBe('failed');

  scene.host.canStart = false;
  await scene.act({ type: 'start-pressed' });
  expect(scene.store.state.start).toBe('failed');
});
