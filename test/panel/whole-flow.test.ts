// The panel without its surface: the real flow, client and state, a real companion server over a real WebSocket with an
// engine that copies, and the simulated Premiere on the other side, where films are really cut.

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../../plugin/src/client/client.ts';
import { systemClock } from '../../plugin/src/client/clock.ts';
import { startPanelFlow } from '../../plugin/src/flow/panel-flow.ts';
import { abilityNames } from '../../plugin/src/host/host.ts';
import { initialState, type PanelState } from '../../plugin/src/state/panel-state.ts';
import { reduce } from '../../plugin/src/state/reduce.ts';
import { createStore, type Store } from '../../plugin/src/state/store.ts';
import { createLog } from '../../companion-server/src/log.ts';
import { startServer, type RunningServer } from '../../companion-server/src/server.ts';
import { createWorkspace, type Workspace } from '../e2e/workspace.ts';
import { readFrameNumbers } from '../premiere-sim/numbered-film.ts';
import { describeSequence } from '../premiere-sim/sim-document.ts';
import { layTimeline, openTestProject, pal, type TestProject, type TestTimeline } from '../premiere-sim/testing-flow.ts'; // prettier-ignore

let project: TestProject;

beforeEach(async () => {
  vi.stubGlobal('WebSocket', WebSocket);
  project = await openTestProject();
});
afterEach(async () => {
  await project.close();
  vi.unstubAllGlobals();
});

async function startCompanion(workspace: Workspace, engine = 'copying'): Promise<RunningServer> {
  const { cacheDir, dataDir, modelDir } = workspace;
  const server = await startServer({
    config: {
      ...{ port: 0, cacheDir, dataDir, logLevel: 'silent' },
      models: new Map([['model', modelDir]]),
    },
    log: createLog({ level: 'silent', write: () => undefined }),
    engineEntry: new URL(`../fixtures/engines/${engine}.ts`, import.meta.url),
  });
  onTestFinished(() => server.close());
  return server;
}

interface Panel {
  readonly store: Store;
  readonly errors: readonly unknown[];
  until(isSo: (state: PanelState) => boolean): Promise<PanelState>;
  close(): void;
}

/** A panel as Premiere opens it; a second one is the panel after a restart. */
function openPanel(server: RunningServer): Panel {
  const host = project.sim.open();
  const errors: unknown[] = [];
  const abilities = abilityNames.filter((name) => host.abilities[name].isThere);
  const facts = { kind: host.kind, product: host.product, abilities, logFolder: null };
  const store = createStore(initialState(facts, 'dark', 'prores'), reduce, (error) =>
    errors.push(error),
  );
  const client = createClient({
    url: `${server.url.replace('http', 'ws').replace(/\/$/, '')}/socket`,
    client: { name: 'test', version: '0' },
    tokens: { read: () => Promise.resolve(server.token), write: () => Promise.resolve() },
  });
  const stop = startPanelFlow({
    ...{ host, client, store, clock: systemClock, random: Math.random },
    pictures: { make: () => 'blob:picture', drop: () => undefined },
    saveResult: null,
  });
  let isOpen = true;
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stop();
    client.stop();
  };
  onTestFinished(close);
  return {
    store,
    errors,
    close,
    until: (isSo) =>
      new Promise((resolve) => {
        if (isSo(store.state)) {
          resolve(store.state);
          return;
        }
        const unsubscribe = store.subscribe((_event, state) => {
          if (!isSo(state)) return;
          unsubscribe();
          resolve(state);
        });
      }),
  };
}

const isReady = ({ link, selection }: PanelState): boolean =>
  link.name === 'online' && (selection?.clips.length ?? 0) > 0;
const hasEnded = ({ tasks }: PanelState): boolean =>
  tasks.length > 0 &&
  tasks.every(({ state }) => ['done', 'unplaced', 'failed', 'canceled'].includes(state.name));

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
    const panel = openPanel(await startCompanion(await createWorkspace()));
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
    const panel = openPanel(await startCompanion(await createWorkspace()));
    panel.store.subscribe((event) => {
      if (event.type !== 'task-moved' || event.state.name !== 'fetching') return;
      timeline.clip.start += 50n * pal;
      timeline.clip.end += 50n * pal;
    });
    await apply(panel);
    const { tasks } = await panel.until(hasEnded);
    expect(tasks).toMatchObject([{ state: { name: 'unplaced', problem: { code: 'timeline-changed' } } }]); // prettier-ignore
    expect(placed()).toEqual([]);
    // A person presses later than in the moment of the event.
    await new Promise((resolve) => setImmediate(resolve));
    const over = panel.until(({ tasks: [task] }) => task?.state.name === 'done');
    panel.store.dispatch({ type: 'task-place-anyway-pressed', key: tasks[0]?.key ?? '' });
    await over;
    expect(placed()).toMatchObject([{ start: 4n * pal, end: 10n * pal }]);
  });

  test('a panel that was closed on the way finds the job again and places its result', async () => {
    const server = await startCompanion(await createWorkspace());
    const first = openPanel(server);
    await apply(first);
    await first.until(({ tasks }) => tasks.some(({ jobId }) => jobId !== null));
    first.close();
    const second = openPanel(server);
    const { tasks } = await second.until(hasEnded);
    expect(tasks).toMatchObject([{ state: { name: 'done' } }]);
    expect(placed()).toHaveLength(1);
  });

  test('an export that fails leaves the timeline alone and says so', async () => {
    project.sim.core.faults.exportEvent = 'failed';
    const panel = openPanel(await startCompanion(await createWorkspace()));
    await apply(panel);
    const { tasks } = await panel.until(hasEnded);
    expect(tasks).toMatchObject([{ state: { name: 'failed', problem: { code: 'export-failed' } } }]); // prettier-ignore
    expect(placed()).toEqual([]);
  });

  test('one frame that Premiere exports too many does not come back', async () => {
    project.sim.core.faults.outPointIsIncluded = true;
    const panel = openPanel(await startCompanion(await createWorkspace()));
    await apply(panel);
    const { tasks } = await panel.until(hasEnded);
    // The engine here copies all of it, so the result is too long: the settings must have asked for six frames.
    const [task] = tasks;
    expect(task?.media?.frameCount).toBe(7);
    expect(task?.state).toMatchObject({ name: 'unplaced', problem: { code: 'result-unfit' } });
    expect(placed()).toEqual([]);
  });
});
