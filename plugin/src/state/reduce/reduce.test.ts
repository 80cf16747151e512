import { describe, expect, test } from 'vitest';
import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import { makeModelInfo } from '../../../../protocol/testing/models.ts';
import type { PlacedEdit } from '../../host/edits.ts';
import type { SelectedClip, SelectionReading } from '../../host/selection.ts';
import { applyBlock } from '../choices.ts';
import type { PanelEvent } from '../events.ts';
import { fromSettings, toSettings } from '../form.ts';
import { withLora, withLoraStrength, withoutLora } from '../loras.ts';
import { initialState, type PanelState } from '../panel-state.ts';
import { reduce } from './reduce.ts';
import type { Task, TaskState } from '../task.ts';

const start = initialState({ kind: 'browser', product: 'B', abilities: [], logFolder: null }, 'dark', 'h264');
const after = (state: PanelState, ...events: readonly PanelEvent[]): PanelState => events.reduce(reduce, state);

const server = {
  version: '1',
  device: null,
  models: [makeModelInfo({ id: 'demo', title: 'Demo' })],
} as const;
const online: PanelEvent = { type: 'link-changed', link: { name: 'online', server } };
const fileClip = (fileId: string): SelectedClip => ({
  key: fileId,
  name: fileId,
  frames: null,
  frameRate: null,
  size: null,
  warnings: [],
  modes: ['source'],
  freeTrackIndex: null,
  edit: null,
  snapshot: {
    kind: 'file',
    fileId,
    fileName: fileId,
    sizeBytes: 9,
    startSeconds: null,
    endSeconds: null,
  },
});
const selected = (...clips: readonly SelectedClip[]): PanelEvent => {
  const place = { id: 'p', name: 'P' };
  const selection: SelectionReading = {
    project: place,
    sequence: place,
    clips,
    rejected: [],
    empty: null,
  };
  return { type: 'selection-read', selection };
};
const jobId = 'a'.repeat(32);
const task = (state: TaskState, more: Partial<Task> = {}): Task => ({
  key: 'key-of-task',
  projectId: 'p',
  clipName: 'c',
  snapshot: fileClip('f').snapshot,
  frames: 5,
  ...{
    mode: 'source',
    settings: { ...defaultSettings(), prompt: 'a wolf' },
    model: 'demo',
    editId: null,
  },
  createdAt: '2026-11-22T19:20:08Z',
  clipId: null,
  jobId,
  media: null,
  report: null,
  isCanceling: false,
  asked: null,
  state,
  ...more,
});
const stateOf = (state: PanelState) => state.tasks[0]?.state.name;
const job = (state: 'queued' | 'running' | 'paused' | 'done') =>
  ({
    type: 'job-told',
    job: {
      jobId,
      key: 'key-of-task',
      clipId: 'c'.repeat(32),
      state,
      priority: 0,
      position: 0,
      model: null,
      createdAt: '2026-11-22T19:20:08Z',
      settings: defaultSettings(),
      progress: null,
      report: null,
      result: null,
      error: null,
      resumes: 0,
    },
  }) as const satisfies PanelEvent;

describe('Apply', () => {
  test('says what is missing, one thing after the other, and then can be pressed', () => {
    expect(applyBlock(start)).toBe('not-connected');
    const connected = after(start, online);
    expect(applyBlock(connected)).toBe('no-clip');
    const chosen = after(connected, selected(fileClip('f')));
    expect(applyBlock(chosen)).toBe('no-prompt');
    const worded = after(chosen, { type: 'form-changed', change: { prompt: ' a wolf ' } });
    expect(applyBlock(worded)).toBeNull();
  });

  test('waits for a model where the server has none', () => {
    const none: PanelEvent = {
      type: 'link-changed',
      link: { name: 'online', server: { ...server, models: [] } },
    };
    expect(applyBlock(after(start, none))).toBe('no-model');
  });

  test('can be pressed while the connection is lost: what is asked for is sent when it is back', () => {
    const lost: PanelEvent = { type: 'link-changed', link: { name: 'lost', server, attempts: 1 } };
    const words: PanelEvent = { type: 'form-changed', change: { prompt: 'x' } };
    expect(applyBlock(after(start, lost, selected(fileClip('f')), words))).toBeNull();
  });

  test('is held back by an estimate that does not fit, and by a clip that cannot be used', () => {
    const ready = after(start, online, selected(fileClip('f')), {
      type: 'form-changed',
      change: { prompt: 'x' },
    });
    const estimate = {
      frames: 1,
      unetEvaluations: 1,
      seconds: 1,
      peakMemoryBytes: 1,
      diskBytes: 1,
      fits: false,
      advice: null,
    };
    expect(applyBlock(after(ready, { type: 'estimate-known', previewSeconds: null, estimate }))).toBe('too-large');
    const problem = { code: 'clip-unreadable', message: '' } as const;
    expect(applyBlock(after(ready, { type: 'prepare-failed', sourceId: 'f', problem }))).toBe('clip-unusable');
  });
});

describe('a clip that was sent ahead', () => {
  const progress = { type: 'prepare-progress', sourceId: 'f', sentBytes: 3, sizeBytes: 9 } as const;

  test('is kept while its file is selected, whatever the range, and dropped with it', () => {
    const sent = after(start, selected(fileClip('f')), progress);
    expect(after(sent, selected(fileClip('f'))).prepared).not.toBeNull();
    expect(after(sent, selected(fileClip('g'))).prepared).toBeNull();
  });

  test('of another file than the selected one changes nothing when it is done', () => {
    const sent = after(start, selected(fileClip('f')), progress);
    const done = {
      type: 'prepare-done',
      sourceId: 'other',
      clipId: 'c',
      media: {},
    } as unknown as PanelEvent;
    expect(after(sent, done)).toEqual(sent);
  });
});

describe('a task', () => {
  const added = (state: TaskState, more: Partial<Task> = {}) =>
    after(start, { type: 'task-added', task: task(state, more) });

  test('follows its job while the server has it', () => {
    const queued = added({ name: 'queued', position: 2 });
    expect(stateOf(after(queued, job('running')))).toBe('running');
    expect(stateOf(after(queued, job('running'), job('paused')))).toBe('paused');
    const progress = {
      stage: 'edit',
      step: 1,
      steps: 2,
      progress: 0.5,
      etaSeconds: 3,
      reconstructionPsnr: null,
    } as const;
    const told = after(queued, job('running'), { type: 'job-progress', jobId, progress });
    expect(told.tasks[0]?.state).toEqual({ name: 'running', progress, isStarting: false });
  });

  test('that waits moves in the queue with its job, and one that runs does not', () => {
    const positions = [
      { jobId, position: 1 },
      { jobId: 'other', position: 0 },
    ];
    const waiting = added({ name: 'queued', position: 2 }, { jobId });
    const moved = after(waiting, { type: 'jobs-moved', positions });
    expect(moved.tasks[0]?.state).toEqual({ name: 'queued', position: 1 });
    const running = after(waiting, job('running'));
    expect(after(running, { type: 'jobs-moved', positions })).toEqual(running);
  });

  test("does not go back when a late word of its job comes, and leaves a job's end to the flow", () => {
    const fetching = added({ name: 'fetching', receivedBytes: 1, sizeBytes: 2 });
    expect(after(fetching, job('running')).tasks).toEqual(fetching.tasks);
    const running = added({ name: 'running', progress: null, isStarting: true });
    expect(stateOf(after(running, job('done')))).toBe('running');
  });

  test('learns the id of its job by its key', () => {
    const sending = added({ name: 'sending', sentBytes: 1, sizeBytes: 2 }, { jobId: null });
    expect(after(sending, job('queued')).tasks[0]?.jobId).toBe(jobId);
  });

  test('is canceling until it is over', () => {
    const canceling = after(added({ name: 'running', progress: null, isStarting: true }), {
      type: 'task-canceling',
      key: 'key-of-task',
    });
    expect(canceling.tasks[0]?.isCanceling).toBe(true);
    const over = after(canceling, {
      type: 'task-moved',
      key: 'key-of-task',
      state: { name: 'canceled' },
    });
    expect(over.tasks[0]?.isCanceling).toBe(false);
  });

  test('can be dismissed when it is over, not before', () => {
    const dismiss = { type: 'task-dismissed', key: 'key-of-task' } as const;
    expect(after(added({ name: 'running', progress: null, isStarting: true }), dismiss).tasks).toHaveLength(1);
    expect(after(added({ name: 'canceled' }), dismiss).tasks).toHaveLength(0);
  });
});

describe('versions', () => {
  const settings = { ...defaultSettings('sdedit'), prompt: 'a fox', seed: 9, strength: 0.8 };
  const edit: PlacedEdit = {
    editId: 'e',
    original: fileClip('f').snapshot,
    originalName: 'f',
    place: null,
    placed: 1,
    versions: [
      {
        version: 1,
        recipe: { jobId, settings, model: 'demo', createdAt: '' },
        resultId: 'r',
        path: null,
      },
    ],
  };
  const there = after(start, { type: 'edits-read', edits: [edit] });

  test('are run again with the settings that made them, seed included', () => {
    const again = after(there, { type: 'rerun-pressed', editId: 'e', version: 1 });
    expect(again.form).toMatchObject({
      prompt: 'a fox',
      seed: 9,
      isSeedLocked: true,
      strength: 0.8,
      technique: 'sdedit',
    });
    expect(again).toMatchObject({ rerunOf: 'e', page: 'edit' });
    expect(after(again, { type: 'rerun-dropped' }).rerunOf).toBeNull();
    expect(after(again, { type: 'task-added', task: task({ name: 'canceled' }) }).rerunOf).toBeNull();
  });

  test('that are not there change nothing', () => {
    const again = after(there, { type: 'rerun-pressed', editId: 'e', version: 7 });
    expect(again.form).toEqual(there.form);
  });

  test('of an edit that has changed replace the ones before', () => {
    const changed = { ...edit, placed: null };
    expect(after(there, { type: 'edit-changed', edit: changed }).edits).toEqual([changed]);
  });
});

describe('a comparison', () => {
  const subject = {
    ...{
      jobId,
      clipId: 'c',
      frames: 10,
      frameRate: { numerator: 25, denominator: 1 },
      firstFrame: 0,
      frameIndices: null,
    },
    size: { width: 4, height: 3 },
  };
  const open = after(start, { type: 'compare-opened', editId: 'e', version: 1 }, { type: 'compare-found', subject });

  test('keeps its frame and divider within their bounds', () => {
    const at = (frameIndex: number) => after(open, { type: 'frame-chosen', frameIndex }).compare?.frameIndex;
    expect([at(-3), at(4.4), at(99)]).toEqual([0, 4, 9]);
    const moved = (divider: number) => after(open, { type: 'divider-moved', divider }).compare?.divider;
    expect([moved(-1), moved(0.3), moved(2)]).toEqual([0, 0.3, 1]);
  });

  test('begins to play anew at the end, and stops when a frame is chosen or another page is opened', () => {
    const playing = after(open, { type: 'frame-chosen', frameIndex: 9 }, { type: 'play-toggled' });
    expect(playing.compare?.frameIndex).toBe(0);
    expect(after(playing, { type: 'played-to', frameIndex: 5 }).compare?.frameIndex).toBe(5);
    expect(after(open, { type: 'played-to', frameIndex: 5 }).compare?.frameIndex).toBe(0);
    expect(after(playing, { type: 'frame-chosen', frameIndex: 3 }).compare?.isPlaying).toBe(false);
    expect(after(playing, { type: 'page-chosen', page: 'edit' }).compare?.isPlaying).toBe(false);
  });

  test('zooms at a point, which stays where it is, and never shows what is beside the picture', () => {
    const zoomed = after(open, { type: 'zoomed', factor: 2, x: 1, y: 0 });
    expect(zoomed.compare?.zoom).toEqual({ scale: 2, left: -1, top: 0 });
    expect(after(zoomed, { type: 'panned', dx: 0.25, dy: 0.25 }).compare?.zoom).toEqual({
      scale: 2,
      left: -0.75,
      top: 0,
    });
    expect(after(zoomed, { type: 'zoomed', factor: 0.25, x: 0, y: 0 }).compare?.zoom).toMatchObject({
      scale: 1,
      left: 0,
    });
    expect(after(open, { type: 'zoomed', factor: 99, x: 0, y: 0 }).compare?.zoom.scale).toBe(8);
    expect(after(zoomed, { type: 'zoom-ended' }).compare?.zoom).toEqual({ scale: 1, left: 0, top: 0 });
  });

  test('flips between the sides', () => {
    const flipped = after(open, { type: 'compare-flipped' });
    expect(flipped.compare).toMatchObject({ mode: 'flip', shown: 'original' });
    expect(after(flipped, { type: 'compare-flipped' }).compare?.shown).toBe('edit');
  });
});

describe('presets and history', () => {
  test('of the same name replace each other; built-in ones stay', () => {
    const save = (id: string, strength: number): readonly PanelEvent[] => [
      { type: 'form-changed', change: { strength } },
      { type: 'preset-saved', id, name: 'Mine' },
    ];
    const saved = after(start, ...save('a', 0.2), ...save('b', 0.9));
    expect(saved.presets.filter(({ isBuiltIn }) => !isBuiltIn)).toMatchObject([{ id: 'b', values: { strength: 0.9 } }]);
    const removed = after(saved, { type: 'preset-removed', id: 'b' }, { type: 'preset-removed', id: 'restyle' });
    expect(removed.presets).toEqual(start.presets);
  });

  test('keep the words that a preset says nothing about', () => {
    const chosen = after(
      start,
      { type: 'form-changed', change: { prompt: 'x' } },
      { type: 'preset-chosen', id: 'draft' },
    );
    expect(chosen.form).toMatchObject({ prompt: 'x', pipeline: 'draft', steps: null });
    expect(after(chosen, { type: 'preset-chosen', id: 'restyle' }).form).toMatchObject({ pipeline: 'fast' });
  });

  test('have the newest words first and none twice', () => {
    const entry = (prompt: string) =>
      ({ type: 'history-added', entry: { prompt, sourcePrompt: '', negativePrompt: '' } }) as const;
    const { history } = after(start, entry('a'), entry('b'), entry('a'));
    expect(history.map(({ prompt }) => prompt)).toEqual(['a', 'b']);
  });
});

describe('LoRA of the form', () => {
  const chosen = (state: PanelState) => state.form.loras;
  const change = (loras: PanelState['form']['loras']): PanelEvent => ({ type: 'form-changed', change: { loras } });

  test('are added once as they were trained, changed within the range, and removed', () => {
    const added = withLora(withLora(withLora([], 'film'), 'grain'), 'film');
    expect(added).toEqual([
      { name: 'film', strength: 1 },
      { name: 'grain', strength: 1 },
    ]);
    const changed = withLoraStrength(added, 'grain', -7);
    expect(changed[1]).toEqual({ name: 'grain', strength: -2 });
    expect(withoutLora(changed, 'film')).toEqual([{ name: 'grain', strength: -2 }]);
  });

  test('are no more than an edit may have', () => {
    const many = Array.from({ length: 30 }, (_, i) => `lora ${i}`).reduce(withLora, []);
    expect(many).toHaveLength(16);
  });

  test('are part of the settings of an edit, and come back with its recipe', () => {
    const loras = [{ name: 'film', strength: 0.5 }];
    const state = after(start, change(loras));
    expect(toSettings(state.form, null).loras).toEqual(loras);
    expect(fromSettings({ ...defaultSettings(), loras }, null, 'h264').loras).toEqual(loras);
    expect(chosen(after(state, change([])))).toEqual([]);
  });

  test('that the server offers are in the state', () => {
    const loras = [{ name: 'film', title: 'Film look', family: null }];
    expect(after(start, { type: 'loras-listed', loras }).loras).toEqual(loras);
  });
});
