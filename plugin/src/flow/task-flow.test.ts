import { describe, expect, test } from 'vitest';
import { createScene as createClientScene, type Scene } from '../client/testing/fake-client.ts';
import type { EditRecord, PlaceRequest } from '../host/edits.ts';
import { HostError } from '../host/problems.ts';
import type { Host, ResultWriter } from '../host/host.ts';
import type { SelectedClip, SelectionReading } from '../host/selection.ts';
import { initialState } from '../state/panel-state.ts';
import { reduce } from '../state/reduce.ts';
import { createStore, type Store } from '../state/store.ts';
import type { TaskState } from '../state/task.ts';
import { startPrepareFlow } from './prepare-flow.ts';
import { startTaskFlow } from './task-flow.ts';

const bytes = Uint8Array.from({ length: 300 }, (_, at) => at & 255);
const result = Uint8Array.from({ length: 500 }, (_, at) => (at * 3) & 255);

const clip: SelectedClip = {
  ...{ key: 'k', name: 'clip.mov', frames: 50, frameRate: null, size: null, warnings: [] },
  ...{ modes: ['rendered'], freeTrackIndex: 1, edit: null },
  snapshot: {
    ...{ kind: 'timeline', projectId: 'p', sequenceId: 's', sequenceName: 'S', trackIndex: 0 },
    ...{ start: '0', end: '10', inPoint: '0', outPoint: '10', ticksPerFrame: '1', itemId: 'i' },
    ...{ mediaPath: '/clip.mov', speed: 1, isReversed: false },
  },
};
const selection: SelectionReading = {
  ...{ project: { id: 'p', name: 'P' }, sequence: { id: 's', name: 'S' } },
  ...{ clips: [clip], rejected: [], empty: null },
};

interface FlowScene extends Scene {
  readonly store: Store;
  readonly placed: PlaceRequest[];
  /** What the next placing is refused with. */
  refusal: HostError | null;
  readonly log: string[];
  runUntil(name: TaskState['name']): Promise<void>;
}

/** The real client, flow and state between a fake host and a fake server. */
function createScene(): FlowScene {
  const scene = createClientScene({ result });
  const facts = { kind: 'premiere', product: 'P', abilities: [], logFolder: null } as const;
  const errors: unknown[] = [];
  const store = createStore(initialState(facts, 'dark', 'prores'), reduce, (error) =>
    errors.push(error),
  );
  const made: FlowScene = {
    ...{ ...scene, store, placed: [], refusal: null, log: [] },
    async runUntil(name) {
      await scene.clock.runUntil(() => store.state.tasks[0]?.state.name === name);
      expect(errors).toEqual([]);
    },
  };
  const host = {
    kind: 'premiere',
    abilities: { timeline: { isThere: true } },
    selection: { read: () => Promise.resolve(selection), subscribe: () => () => undefined },
    clips: {
      export: () => {
        made.log.push('exported');
        return Promise.resolve({
          ...{ sizeBytes: bytes.length, extension: 'mov', range: null, frames: 50 },
          read: (offset: number, length: number) =>
            Promise.resolve(bytes.slice(offset, offset + length)),
          dispose: () => {
            made.log.push('disposed');
            return Promise.resolve();
          },
        });
      },
    },
    files: { openResult: () => Promise.resolve(createWriter(made.log)) },
    timeline: {
      importResult: () => Promise.resolve({ resultId: 'r', path: '/r.mov' }),
      edits: () => Promise.resolve([]),
      place(request: PlaceRequest) {
        if (made.refusal !== null && !request.evenIfChanged) return Promise.reject(made.refusal);
        made.placed.push(request);
        const { original, originalName, recipe } = request;
        const edit: EditRecord = {
          ...{ editId: 'e', original, originalName, place: null, placed: 1 },
          versions: [{ version: 1, recipe, resultId: 'r', path: '/r.mov' }],
        };
        return Promise.resolve(edit);
      },
    },
  } as unknown as Host;
  const deps = {
    ...{ host, client: scene.client, store, clock: scene.clock, random: Math.random },
    pictures: { make: () => '', drop: () => undefined },
    saveResult: null,
  };
  scene.client.onLink((link) => store.dispatch({ type: 'link-changed', link }));
  startTaskFlow(deps, startPrepareFlow(deps));
  scene.client.start();
  store.dispatch({ type: 'selection-read', selection });
  store.dispatch({ type: 'form-changed', change: { prompt: 'a wolf' } });
  return made;
}

function createWriter(log: string[]): ResultWriter {
  let receivedBytes = 0;
  return {
    get receivedBytes() {
      return receivedBytes;
    },
    write(_offset, piece) {
      receivedBytes += piece.length;
      return Promise.resolve();
    },
    read: () => Promise.reject(new Error('Nothing was there before.')),
    finish() {
      log.push(`wrote ${receivedBytes}`);
      return Promise.resolve({ location: '/r.mov', name: 'r.mov', sizeBytes: receivedBytes });
    },
    pause: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}

async function applied(): Promise<FlowScene> {
  const scene = createScene();
  await scene.clock.settle();
  scene.store.dispatch({ type: 'apply-pressed' });
  await scene.runUntil('queued');
  return scene;
}

const jobOf = ({ server }: FlowScene): string => [...server.jobs.keys()][0] ?? '';

describe('a task', () => {
  test('goes from Apply to the timeline', async () => {
    const scene = await applied();
    scene.server.changeJob(jobOf(scene), 'running');
    await scene.runUntil('running');
    scene.server.changeJob(jobOf(scene), 'done');
    await scene.runUntil('done');
    expect(scene.log).toEqual(['exported', 'disposed', `wrote ${result.length}`]);
    expect(scene.placed).toHaveLength(1);
    expect(scene.placed[0]?.recipe.jobId).toBe(jobOf(scene));
    expect(scene.store.state.edits).toHaveLength(1);
  });

  test('ends well though connections are lost while it is sent, edited and fetched', async () => {
    const scene = createScene();
    scene.server.cuts.push(100, 150, 120);
    await scene.clock.settle();
    scene.store.dispatch({ type: 'apply-pressed' });
    await scene.runUntil('queued');
    scene.server.isUp = false;
    scene.server.cutAll();
    await scene.clock.settle();
    scene.server.changeJob(jobOf(scene), 'done');
    scene.server.cuts.push(90);
    scene.server.isUp = true;
    await scene.runUntil('done');
    expect(scene.server.jobs.size).toBe(1);
    expect(scene.placed).toHaveLength(1);
  });

  test('that is canceled while the server works ends as canceled, and places nothing', async () => {
    const scene = await applied();
    const key = scene.store.state.tasks[0]?.key ?? '';
    scene.store.dispatch({ type: 'task-cancel-pressed', key });
    await scene.runUntil('canceled');
    expect(scene.placed).toEqual([]);
  });

  test('whose place has changed keeps its result and is placed when the person says so', async () => {
    const scene = await applied();
    scene.refusal = new HostError('timeline-changed', 'The clip has moved.');
    scene.server.changeJob(jobOf(scene), 'done');
    await scene.runUntil('unplaced');
    const [task] = scene.store.state.tasks;
    expect(task?.state).toMatchObject({ problem: { code: 'timeline-changed' } });
    scene.store.dispatch({ type: 'task-place-anyway-pressed', key: task?.key ?? '' });
    await scene.runUntil('done');
    expect(scene.placed[0]?.evenIfChanged).toBe(true);
  });

  test('that the server refuses fails with its reason, and can be tried again as another job', async () => {
    const scene = createScene();
    await scene.clock.settle();
    scene.server.refuse('job-create', 'out-of-memory');
    scene.store.dispatch({ type: 'apply-pressed' });
    await scene.runUntil('failed');
    const [task] = scene.store.state.tasks;
    expect(task?.state).toMatchObject({ problem: { code: 'out-of-memory' } });
    scene.store.dispatch({ type: 'task-retry-pressed', key: task?.key ?? '' });
    await scene.runUntil('queued');
    expect(scene.store.state.tasks).toHaveLength(1);
    expect(scene.server.jobs.size).toBe(1);
    // The clip was there already.
    expect(scene.log.filter((line) => line === 'exported')).toHaveLength(1);
  });

  test('of an earlier run of the panel finds its job again and brings the result home', async () => {
    const scene = await applied();
    const [task] = scene.store.state.tasks;
    const later = createScene();
    for (const [jobId, job] of scene.server.jobs) later.server.jobs.set(jobId, job);
    await later.clock.settle();
    if (task === undefined) throw new Error('There is no task.');
    const tasks = [{ ...task, jobId: null }];
    later.store.dispatch({ type: 'kept-read', kept: { presets: [], tasks, paces: {}, form: {} } });
    await later.clock.settle();
    later.server.changeJob(jobOf(later), 'done');
    await later.runUntil('done');
    expect(later.log).toEqual([`wrote ${result.length}`]);
  });
});
