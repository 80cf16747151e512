// The panel without its surface: the real flow, client and state, a real companion server over a real WebSocket with an
// engine that copies, and the simulated Premiere on the other side, where films are really cut.

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { RunningServer } from '../../companion-server/src/app/server.ts';
import type { PanelState } from '../../plugin/src/state/panel-state.ts';
import { startCompanion } from '../companion.ts';
import { createWorkspace } from '../e2e/workspace.ts';
import { readFrameNumbers } from '../premiere-sim/numbered-film.ts';
import { describeSequence } from '../premiere-sim/sim-document.ts';
import {
  layTimeline,
  openTestProject,
  pal,
  type TestProject,
  type TestTimeline,
} from '../premiere-sim/testing-flow.ts';
import { isReady, openPanel, type Panel } from './headless-panel.ts';

let project: TestProject;

beforeEach(async () => {
  vi.stubGlobal('WebSocket', WebSocket);
  project = await openTestProject();
});
afterEach(async () => {
  await project.close();
  vi.unstubAllGlobals();
});

async function openServer(): Promise<RunningServer> {
  const server = await startCompanion(await createWorkspace());
  onTestFinished(() => server.close());
  return server;
}

function open(server: RunningServer): Panel {
  const panel = openPanel(project, server);
  onTestFinished(() => panel.close());
  return panel;
}

const hasEnded = ({ tasks }: PanelState): boolean =>
  tasks.length > 0 && tasks.every(({ state }) => ['done', 'unplaced', 'failed', 'canceled'].includes(state.name));

async function apply(panel: Panel): Promise<void> {
  await panel.until(isReady);
  panel.store.dispatch({ type: 'form-changed', change: { prompt: 'a silver wolf' } });
  panel.store.dispatch({ type: 'apply-pressed' });
}

describe('from Apply to the timeline', () => {
  let timeline: TestTimeline;
  const placed = () => project.sim.core.sequence(timeline.sequence.guid).video[1]?.clips ?? [];

  beforeEach(async () => {
    timeline = await layTimeline(project, pal, 4, 6, 2);
  });

  test('as many frames come back as went, in their place, and one undo takes them away', async () => {
    const before = describeSequence(timeline.sequence);
    const panel = open(await openServer());
    await apply(panel);
    const { tasks } = await panel.until(hasEnded);
    expect(tasks.map(({ state }) => state)).toMatchObject([{ name: 'done', version: 1 }]);
    const { start, end } = timeline.clip;
    expect(placed()).toMatchObject([{ start, end }]);
    const { path } = project.sim.core.item(placed()[0]?.itemId ?? '');
    expect(await readFrameNumbers(path)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(panel.errors).toEqual([]);
    project.sim.core.undo();
    expect(describeSequence(project.sim.core.sequence(timeline.sequence.guid))).toBe(before);
  });

  test('of a clip that moved meanwhile nothing is placed, until the person says where', async () => {
    const panel = open(await openServer());
    panel.store.subscribe((event) => {
      if (event.type !== 'task-moved' || event.state.name !== 'fetching') return;
      timeline.clip.start += 50n * pal;
      timeline.clip.end += 50n * pal;
    });
    await apply(panel);
    const { tasks } = await panel.until(hasEnded);
    expect(tasks).toMatchObject([{ state: { name: 'unplaced', problem: { code: 'timeline-changed' } } }]);
    expect(placed()).toEqual([]);
    // A person presses later than in the moment of the event.
    await new Promise((resolve) => setImmediate(resolve));
    const over = panel.until(({ tasks: [task] }) => task?.state.name === 'done');
    panel.store.dispatch({ type: 'task-place-anyway-pressed', key: tasks[0]?.key ?? '' });
    await over;
    expect(placed()).toMatchObject([{ start: 4n * pal, end: 10n * pal }]);
  });

  test('a panel that was closed on the way finds the job again and places its result', async () => {
    const server = await openServer();
    const first = open(server);
    await apply(first);
    await first.until(({ tasks }) => tasks.some(({ jobId }) => jobId !== null));
    first.close();
    const second = open(server);
    const { tasks } = await second.until(hasEnded);
    expect(tasks).toMatchObject([{ state: { name: 'done' } }]);
    expect(placed()).toHaveLength(1);
  });

  test('an export that fails leaves the timeline alone and says so', async () => {
    project.sim.core.faults.exportEvent = 'failed';
    const panel = open(await openServer());
    await apply(panel);
    const { tasks } = await panel.until(hasEnded);
    expect(tasks).toMatchObject([{ state: { name: 'failed', problem: { code: 'export-failed' } } }]);
    expect(placed()).toEqual([]);
  });

  test('one frame that Premiere exports too many does not come back', async () => {
    project.sim.core.faults.outPointIsIncluded = true;
    const panel = open(await openServer());
    await apply(panel);
    const { tasks } = await panel.until(hasEnded);
    // The engine here copies all of it, so the result is too long: the settings must have asked for six frames.
    const [task] = tasks;
    expect(task?.media?.frameCount).toBe(7);
    expect(task?.state).toMatchObject({ name: 'unplaced', problem: { code: 'result-unfit' } });
    expect(placed()).toEqual([]);
  });
});
