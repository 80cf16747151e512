import { expect, test } from 'vitest';
import { defaultSettings } from '../../../protocol/edit-settings.ts';
import { emptyForm } from './form.ts';
import { readHistory, readPersisted, writeForm, writeHistory, writeTasks } from './persisted.ts';
import type { Task, TaskState } from './task.ts';

const task = (state: TaskState, more: Partial<Task> = {}): Task => ({
  key: 'a-key-of-a-job',
  projectId: null,
  clipName: 'wolf.mp4',
  snapshot: { kind: 'file', fileId: 'f', fileName: 'wolf.mp4', sizeBytes: 5, startSeconds: null, endSeconds: 2 },
  frames: 40,
  mode: 'source',
  settings: { ...defaultSettings(), prompt: 'a silver wolf' },
  model: null,
  editId: null,
  createdAt: '2026-11-22T19:20:08.123Z',
  clipId: 'c'.repeat(32),
  jobId: null,
  media: null,
  report: null,
  isCanceling: false,
  asked: null,
  state,
  ...more,
});

const failed = task({ name: 'failed', problem: { code: 'disk-full', message: 'The disk is full.', hint: null } });
const reading = (name: string, text: string) => readPersisted((asked) => (asked === name ? text : null));

test('a kept task comes back with every field, checked or not, and is not being canceled any more', () => {
  const running = task({ name: 'running', progress: null, isStarting: true }, { isCanceling: true });
  const { kept, complaints } = reading('tasks', writeTasks([failed, running]));
  expect(kept.tasks).toEqual([failed, { ...running, isCanceling: false }]);
  expect(complaints).toEqual([]);
});

test('what an earlier version has kept is read by the names of today', () => {
  const { pipeline: schedule, initialNoise: noise, ...others } = failed.settings;
  const old = { ...failed, settings: { ...others, schedule, noise } };
  expect(reading('tasks', JSON.stringify([old])).kept.tasks).toEqual([failed]);
  const form = { dial: 0.7, technique: 'pnp', codec: 'h264', isSeedLocked: true, model: null };
  expect(reading('form', JSON.stringify(form)).kept.form).toMatchObject({ strength: 0.7, codec: 'h264' });
  const values = {
    prompt: null,
    negativePrompt: null,
    technique: 'pnp',
    steps: 9,
    guidance: null,
    keyframeInterval: 8,
  };
  const presets = { format: 'tokenflow-presets', layout: 1, presets: [{ name: 'mine', dial: 0.2, ...values }] };
  const { kept, complaints } = reading('presets', JSON.stringify(presets));
  expect(kept.presets).toMatchObject([{ name: 'mine', values: { ...values, strength: 0.2 } }]);
  expect(complaints).toEqual([]);
});

test('a task that is done or canceled is not taken up again', () => {
  const over = [task({ name: 'done', editId: 'e', version: 1 }), task({ name: 'canceled' })];
  expect(reading('tasks', writeTasks([...over, failed])).kept.tasks).toEqual([failed]);
});

test.each<[object, string]>([
  [{ key: 'short' }, 'tasks: tasks.tasks.0.key must have 8 to 64 characters, got 5.'],
  [{ jobId: 'x' }, "tasks: tasks.tasks.0.jobId must be 32 lower-case hexadecimal digits, got 'x'."],
  [{ snapshot: null }, 'tasks: tasks.tasks.0.snapshot must be an object, got null.'],
  [{ snapshot: {} }, 'tasks: tasks.tasks.0.snapshot.kind must be one of timeline, file, got nothing.'],
  [{ state: { name: 1 } }, 'tasks: tasks.tasks.0.state.name must be a text, got 1.'],
  [
    { settings: { ...failed.settings, strength: 2 } },
    'tasks: tasks.tasks.0.settings.strength must be between 0 and 1, got 2.',
  ],
])('tasks that somebody has changed to %j are left out with a complaint', (change, complaint) => {
  const { kept, complaints } = reading('tasks', JSON.stringify([{ ...failed, ...change }]));
  expect(kept.tasks).toEqual([]);
  expect(complaints).toEqual([complaint]);
});

test('the form comes back with its words and numbers, and a seed that is rolled', () => {
  const form = {
    ...emptyForm('h264'),
    prompt: 'a wolf',
    sourcePrompt: 'a dog',
    isSeedLocked: true,
    strength: 0.7,
    steps: 12,
    guideBy: 'source' as const,
    guidance: 3.5,
    seed: 77,
  };
  expect(reading('form', writeForm(form)).kept.form).toEqual(form);
});

test('a form of an earlier version, without words, is as a new one where it says nothing', () => {
  const earlier = { strength: 0.7, technique: 'pnp', codec: 'h264', isSeedLocked: true, model: null };
  const { kept, complaints } = reading('form', JSON.stringify(earlier));
  expect(complaints).toEqual([]);
  expect(kept.form).toEqual({ ...emptyForm('h264'), ...earlier });
});

test('the history comes back as it was written, and another list is refused by its field', () => {
  const entry = { prompt: 'a wolf', sourcePrompt: '', negativePrompt: 'fog' };
  expect(readHistory(writeHistory([entry]))).toEqual([entry]);
  expect(() => readHistory('[{"prompt":"a wolf","words":1}]')).toThrow('history.entries.0.words is not known');
});

test('the LoRA of the form are kept with it, and a form from before there were any has none', () => {
  const form = { ...emptyForm('h264'), loras: [{ name: 'film', strength: 0.75 }] };
  expect(reading('form', writeForm(form)).kept.form.loras).toEqual(form.loras);
  const { loras, ...earlier } = JSON.parse(writeForm(form)) as Record<string, unknown>;
  expect(loras).toEqual(form.loras);
  expect(reading('form', JSON.stringify(earlier)).kept.form.loras).toEqual([]);
});

test('the ControlNets of the form are kept with it', () => {
  const controls = [{ kind: 'canny', net: 'edges', scale: 0.5, start: 0, end: 0.75, guess: true } as const];
  const { kept, complaints } = reading('form', writeForm({ ...emptyForm('h264'), controls }));
  expect([kept.form.controls, complaints]).toEqual([controls, []]);
});

test('a form whose settings without a control were changed by somebody is left out with a complaint', () => {
  const text = writeForm({ ...emptyForm('h264'), others: { vae: '' } });
  const { kept, complaints } = reading('form', text);
  expect(kept.form).toEqual({});
  expect(complaints).toEqual(['form: form.others.vae must have 1 to 200 characters, got 0.']);
});
