// The first press in Premiere: a sample clip, through the panel's own flow, a real companion server with the embedded model, and
// the simulated Premiere.

import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { embeddedModelDir } from '../../companion-server/src/models/installed-models.ts';
import { applyBlock } from '../../plugin/src/state/choices.ts';
import { openDoubt, selectedSample } from '../../plugin/src/state/practice.ts';
import { startCompanion } from '../companion.ts';
import { createWorkspace } from '../e2e/workspace.ts';
import { layTimeline, openTestProject, pal, type TestProject } from '../premiere-sim/testing-flow.ts';
import { openPanel } from './headless-panel.ts';

let project: TestProject;
beforeEach(async () => {
  vi.stubGlobal('WebSocket', WebSocket);
  project = await openTestProject();
});
afterEach(async () => {
  await project.close();
  vi.unstubAllGlobals();
});

async function openWithDemo() {
  const { cacheDir, dataDir } = await createWorkspace();
  const server = await startCompanion({ cacheDir, dataDir, modelDir: embeddedModelDir, modelName: 'demo' });
  onTestFinished(() => server.close());
  const panel = openPanel(project, server);
  onTestFinished(() => panel.close());
  await panel.until(({ models }) => models !== null);
  return panel;
}

test('is on a sequence of its own, selected, with words that work, and Apply can be pressed', async () => {
  const panel = await openWithDemo();
  panel.store.dispatch({ type: 'sample-pressed', name: 'car-city' });
  const state = await panel.until(({ selection, form }) => selection?.clips.length === 1 && form.prompt !== '');
  expect(state.selection?.sequence?.name).toBe('TokenFlow sample: Blue car in the city');
  expect(state.form.prompt).toBe('a red car in the city');
  expect(selectedSample(state)?.name).toBe('car-city');
  expect([openDoubt(state), applyBlock(state)]).toEqual([null, null]);
  expect(panel.errors).toEqual([]);
});

test('is offered for a clip that the practice model does not know, which is not edited before the user says so', async () => {
  await layTimeline(project, pal, 4, 6, 2);
  const panel = await openWithDemo();
  await panel.until(({ selection }) => (selection?.clips.length ?? 0) > 0);
  panel.store.dispatch({ type: 'form-changed', change: { prompt: 'a blue ball on grass' } });
  panel.store.dispatch({ type: 'apply-pressed' });
  expect(openDoubt(panel.store.state)).toMatchObject({ isForeignClip: true, unknownWords: [] });
  expect(panel.store.state.tasks).toEqual([]);
  panel.store.dispatch({ type: 'practice-accepted' });
  expect(panel.store.state.tasks).toHaveLength(1);
  await panel.until(({ tasks }) => ['done', 'failed', 'unplaced'].includes(tasks[0]?.state.name ?? ''));
});
