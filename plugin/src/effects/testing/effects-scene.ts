// All flows with the real client and the real state, between a fake host and a fake server.

import { expect } from 'vitest';
import { createScene as createClientScene, type Scene } from '../../../../protocol/client/testing/fake-client.ts';
import type { FakeServerOptions } from '../../../../protocol/client/testing/fake-state.ts';
import type { AbilityName } from '../../host/host.ts';
import type { SelectedClip, SelectionReading } from '../../host/selection.ts';
import { initialState } from '../../state/panel-state.ts';
import type { PanelEvent } from '../../state/events.ts';
import { reduce } from '../../state/reduce/reduce.ts';
import { createStore, type Store } from '../../state/store.ts';
import type { Task, TaskState } from '../../state/task.ts';
import { startPanelEffects } from '../panel-effects.ts';
import { createFakeHost, type FakeHost } from './fake-host.ts';

export const result = Uint8Array.from({ length: 500 }, (_, at) => (at * 3) & 255);

export const timelineClip: SelectedClip = {
  key: 'k',
  name: 'clip.mov',
  frames: 50,
  frameRate: null,
  size: null,
  warnings: [],
  modes: ['rendered', 'source'],
  freeTrackIndex: 1,
  edit: null,
  snapshot: {
    kind: 'timeline',
    projectId: 'p',
    sequenceId: 's',
    sequenceName: 'S',
    trackIndex: 0,
    start: '0',
    end: '10',
    inPoint: '0',
    outPoint: '10',
    ticksPerFrame: '1',
    itemId: 'i',
    mediaPath: '/clip.mov',
    speed: 1,
    isReversed: false,
  },
};

export const fileClip: SelectedClip = {
  key: 'f',
  name: 'clip.mp4',
  frames: null,
  frameRate: null,
  size: null,
  warnings: [],
  modes: ['source'],
  freeTrackIndex: null,
  edit: null,
  snapshot: {
    kind: 'file',
    fileId: 'f',
    fileName: 'clip.mp4',
    sizeBytes: 300,
    startSeconds: null,
    endSeconds: null,
  },
};

export function selectionOf(...clips: readonly SelectedClip[]): SelectionReading {
  const place = { project: { id: 'p', name: 'P' }, sequence: { id: 's', name: 'S' } };
  return { ...place, clips, rejected: [], empty: clips.length === 0 ? 'nothing-selected' : null };
}

export interface EffectsScene extends Scene {
  readonly store: Store;
  readonly host: FakeHost;
  /** Whether the person writes in a field. */
  isTyping: boolean;
  /** Addresses of pictures that were made and not given up. */
  readonly openPictures: ReadonlySet<string>;
  /** Says what a person does, and lets happen what follows at once. */
  act(...events: readonly PanelEvent[]): Promise<void>;
  /** The newest task. */
  readonly task: Task;
  runUntil(name: TaskState['name']): Promise<void>;
  /** Types of the requests that the server has heard. */
  readonly asked: readonly string[];
  /** Closes the panel. */
  close(): void;
}

export interface EffectsSceneOptions extends FakeServerOptions {
  /** What the panel takes the host to be able to do. Default: nothing. */
  readonly abilities?: readonly AbilityName[];
  readonly selection?: SelectionReading;
  /** What an earlier panel has kept. */
  readonly texts?: Map<string, string>;
  /** A web page, whatever is selected. */
  readonly page?: boolean;
  /** Whether the host has the file of a web page's clip; true where it is left out. */
  readonly hasFile?: boolean;
  /** The server of an earlier panel, whose jobs are there still. */
  readonly earlier?: Scene;
}

/** Paired, connected, one clip selected, a prompt written. */
export async function openEffectsScene(options: EffectsSceneOptions = {}): Promise<EffectsScene> {
  const scene = createClientScene({ result, ...options });
  for (const [jobId, job] of options.earlier?.server.jobs ?? []) scene.server.jobs.set(jobId, job);
  for (const [id, bytes] of options.earlier?.server.uploads ?? []) scene.server.uploads.set(id, bytes);
  const selection = options.selection ?? selectionOf(timelineClip);
  const host = createFakeHost(selection, options.texts ?? new Map<string, string>(), options.page);
  host.hasFile = options.hasFile ?? true;
  const errors: unknown[] = [];
  const { kind } = host;
  const store = createStore(
    initialState({ kind, product: 'P', abilities: options.abilities ?? [], logFolder: null }, 'dark', 'prores'),
    reduce,
    (error) => errors.push(error),
  );
  const openPictures = new Set<string>();
  let pictures = 0;
  const stop = startPanelEffects({
    host,
    client: scene.client,
    store,
    clock: scene.clock,
    random: Math.random,
    pictures: {
      make() {
        const url = `blob:${(pictures += 1)}`;
        openPictures.add(url);
        return url;
      },
      drop: (url) => void openPictures.delete(url),
    },
    isTyping: () => made.isTyping,
    saveResult: (resultId) => host.saveResult(resultId),
  });
  const made: EffectsScene = {
    ...scene,
    store,
    host,
    openPictures,
    isTyping: false,
    close: stop,
    async act(...events) {
      for (const event of events) store.dispatch(event);
      await scene.clock.settle();
      expect(errors).toEqual([]);
    },
    get task() {
      const [task] = store.state.tasks;
      if (task === undefined) throw new Error('There is no task.');
      return task;
    },
    async runUntil(name) {
      await scene.clock.runUntil(() => store.state.tasks[0]?.state.name === name);
      expect(errors).toEqual([]);
    },
    get asked() {
      return scene.server.heard.map(({ type }) => type);
    },
  };
  await scene.clock.runUntil(() => store.state.link.name === 'online');
  await made.act({ type: 'form-changed', change: { prompt: 'a wolf' } });
  return made;
}

/** The id of the clip of the newest job. */
export function lastClip(scene: Scene): string {
  return scene.server.jobs.get(lastJob(scene))?.clipId ?? '';
}

/** The id of the newest job on the server. */
export function lastJob({ server }: Scene): string {
  const jobId = [...server.jobs.keys()].at(-1);
  if (jobId === undefined) throw new Error('There is no job.');
  return jobId;
}
