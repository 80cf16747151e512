import { expect, test } from 'vitest';
import { openEffectsScene, selectionOf, timelineClip } from './testing/effects-scene.ts';

async function codecOf(followsSequence: boolean, sequenceCodec: 'dnxhr-hqx' | null) {
  const scene = await openEffectsScene({ selection: selectionOf({ ...timelineClip, sequenceCodec }) });
  await scene.act({ type: 'form-changed', change: { codec: 'prores-422', followsSequence, isSeedLocked: true } });
  await scene.act({ type: 'apply-pressed' });
  return scene.store.state.tasks[0]?.settings.codec;
}

test('a result is as its sequence where that was asked for and the sequence tells its codec, else as it was chosen', async () => {
  expect(await codecOf(true, 'dnxhr-hqx')).toBe('dnxhr-hqx');
  expect(await codecOf(true, null)).toBe('prores-422');
  expect(await codecOf(false, 'dnxhr-hqx')).toBe('prores-422');
});
