import { expect, test } from 'vitest';
import { sha256 } from '../../../protocol/client/testing/fake-answers.ts';
import { toSettings } from '../state/form.ts';
import { openEffectsScene, selectionOf } from './testing/effects-scene.ts';

const cube = `LUT_3D_SIZE 2\n${Array.from({ length: 8 }, () => '0.5 0.5 0.5').join('\n')}\n`;

test('a table that is picked goes to the server, and edits name it', async () => {
  const scene = await openEffectsScene({ selection: selectionOf() });
  scene.host.pick = { name: 'log.cube', text: cube };
  await scene.act({ type: 'lookup-table-pressed' });
  await scene.clock.runUntil(() => scene.store.state.form.lookupTable !== null);
  const { form } = scene.store.state;
  expect(form).toMatchObject({ modelColour: 'table', lookupTable: { name: 'log.cube' } });
  const sent = [...scene.server.uploads.values()].map((bytes) => sha256(bytes));
  expect(sent).toContain(form.lookupTable?.sha256);
  expect(toSettings(form, null)).toMatchObject({ lookupTable: { sha256: form.lookupTable?.sha256 } });
  expect(toSettings({ ...form, modelColour: null }, null)).not.toHaveProperty('lookupTable');
});

test('a file that is no table is told, and the form stays as it was', async () => {
  const scene = await openEffectsScene({ selection: selectionOf() });
  const before = scene.store.state.form;
  scene.host.pick = { name: 'notes.cube', text: 'hello' };
  await scene.act({ type: 'lookup-table-pressed' });
  expect(scene.store.state.toasts).toMatchObject([{ text: 'failed', problem: { code: 'invalid-request' } }]);
  scene.host.pick = null;
  await scene.act({ type: 'lookup-table-pressed' });
  expect(scene.store.state.toasts).toHaveLength(1);
  expect(scene.store.state.form).toEqual(before);
});
