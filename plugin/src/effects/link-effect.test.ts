import { expect, test } from 'vitest';
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
