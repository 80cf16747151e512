// What users do with running edits: apply, preview, cancel, pause, try again. And the server's events about its jobs.

import type { EditError } from '../../../protocol/errors.ts';
import { applyBlock, previewBlock } from '../state/choices.ts';
import type { PanelEvent } from '../state/events.ts';
import type { PanelState } from '../state/panel-state.ts';
import { openDoubt } from '../state/practice.ts';
import { isCurrent, isSameClip, previewed } from '../state/preview.ts';
import { isOnServer, isOver, type Task } from '../state/task.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { newKey, newPreview, newTasks } from './new-tasks.ts';
import { problemOf } from './problem-of.ts';
import { createTaskRuns, type Sending } from './task-runs.ts';

const maxSeed = 2 ** 32 - 1;

export function startTaskEffect(deps: EffectDeps, sending: Sending): StopEffect {
  const { client, store, random } = deps;
  const { dispatch } = store;
  const runs = createTaskRuns(deps, sending);

  const taskOf = (key: string): Task | undefined => store.state.tasks.find((one) => one.key === key);
  const add = (task: Task): void => dispatch({ type: 'task-added', task });
  const fail = (error: unknown): void => dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });
  const drawSeed = (): number => Math.floor(random() * maxSeed);

  function apply(): void {
    const { state } = store;
    if (applyBlock(state) !== null || openDoubt(state) !== null) return;
    const promise = previewed(state);
    for (const task of newTasks(state, { random, now: deps.clock.now() })) add(task);
    if (promise !== null && isCurrent(state, promise)) {
      dispatch({ type: 'toast-raised', text: 'preview-applied', problem: null });
      discard(promise.key).catch(fail);
    }
    remember(state);
    if (!state.form.isSeedLocked) dispatch({ type: 'seed-rolled', seed: drawSeed() });
  }

  /** A new preview replaces the one before. Its seed stays in the form, so that Apply makes the shown edit. */
  function preview(): void {
    const { state } = store;
    if (previewBlock(state) !== null || openDoubt(state) !== null) return;
    const before = previewed(state);
    // A user who has seen this preview wants to see another one.
    const isSeen = before !== null && isCurrent(state, before) && !state.form.isSeedLocked;
    const seed = isSeen ? drawSeed() : state.form.seed;
    if (isSeen) dispatch({ type: 'seed-rolled', seed });
    const rolled = { ...state, form: { ...state.form, seed } };
    const task = newPreview(rolled, { random, now: deps.clock.now() });
    if (task === null) return;
    for (const one of state.tasks.filter(({ settings }) => settings.preview)) {
      discard(one.key).catch(fail);
    }
    // A media file does not change; an old export would not have effects that were changed later.
    const isThere = before !== null && task.mode === 'source' && isSameClip(before, task);
    add(isThere ? { ...task, clipId: before.clipId, media: before.media } : task);
    remember(state);
  }

  function remember({ form: { prompt, sourcePrompt, negativePrompt } }: PanelState): void {
    dispatch({ type: 'history-added', entry: { prompt, sourcePrompt, negativePrompt } });
  }

  /** Ends a preview in any state, and deletes it on the server. */
  async function discard(key: string): Promise<void> {
    dispatch({ type: 'task-moved', key, state: { name: 'dropped' } });
    await runs.stop(key);
    const jobId = taskOf(key)?.jobId ?? null;
    if (jobId !== null) await forget(jobId);
    dispatch({ type: 'task-dismissed', key });
  }

  async function forget(jobId: string): Promise<void> {
    try {
      await client.deleteJob(jobId);
    } catch (error) {
      if ((error as EditError | null)?.code !== 'job-missing') throw error;
    }
  }

  /** A preview's job on the server is deleted together with its task. */
  function afterDismissal(key: string, { tasks }: PanelState): void {
    const task = tasks.find((one) => one.key === key);
    if (task?.settings.preview !== true || task.state.name === 'dropped') return;
    if (task.jobId !== null && isOver(task)) forget(task.jobId).catch(fail);
  }

  async function cancel(key: string): Promise<void> {
    const task = taskOf(key);
    if (task === undefined || isOver(task)) return;
    dispatch({ type: 'task-canceling', key });
    // The job's end is an event like any other; before and after it there is only the panel's own work.
    if (isOnServer(task) && task.jobId !== null) await client.order('job-cancel', task.jobId);
    else await runs.stop(key);
  }

  async function order(key: string, what: 'job-pause' | 'job-resume'): Promise<void> {
    const task = taskOf(key);
    try {
      if (task?.jobId != null && isOnServer(task)) await client.order(what, task.jobId);
    } finally {
      dispatch({ type: 'task-order-ended', key });
    }
  }

  function retry(key: string): void {
    const task = taskOf(key);
    if (task === undefined || !isOver(task)) return;
    if (task.state.name === 'unplaced') {
      runs.placeAgain(key, false);
      return;
    }
    dispatch({ type: 'task-dismissed', key });
    add({
      ...task,
      key: newKey(random),
      jobId: null,
      report: null,
      isCanceling: false,
      asked: null,
      state: { name: 'exporting', progress: null },
    });
  }

  /** Another way of encoding the export, and another try with it. */
  async function pickPreset(key: string): Promise<void> {
    if (await deps.host.files.pickExportPreset()) retry(key);
  }

  function restore(tasks: readonly Task[]): void {
    for (const task of tasks) {
      if (!isOver(task)) runs.start(task.key, true);
      else if (task.state.name === 'dropped') discard(task.key).catch(fail);
    }
  }

  function answer(event: PanelEvent, state: PanelState, before: PanelState): void {
    switch (event.type) {
      case 'apply-pressed':
        apply();
        break;
      case 'preview-pressed':
        preview();
        break;
      case 'practice-accepted':
        if (before.practice.held === 'apply') apply();
        if (before.practice.held === 'preview') preview();
        break;
      case 'preview-dismissed': {
        const key = previewed(state)?.key;
        if (key !== undefined) discard(key).catch(fail);
        break;
      }
      case 'task-added':
        runs.start(event.task.key);
        break;
      case 'kept-read':
        restore(event.kept.tasks);
        break;
      case 'task-cancel-pressed':
        cancel(event.key).catch(fail);
        break;
      case 'task-pause-pressed':
        order(event.key, 'job-pause').catch(fail);
        break;
      case 'task-resume-pressed':
        order(event.key, 'job-resume').catch(fail);
        break;
      case 'task-retry-pressed':
        retry(event.key);
        break;
      case 'task-place-anyway-pressed':
        runs.placeAgain(event.key, true);
        break;
      case 'task-pick-preset-pressed':
        pickPreset(event.key).catch(fail);
        break;
      case 'task-dismissed':
        afterDismissal(event.key, before);
        break;
      default:
    }
  }

  const stops = [
    store.subscribe(answer),
    client.onJobs({
      onJob: (job) => dispatch({ type: 'job-told', job }),
      onProgress: (jobId, progress) => dispatch({ type: 'job-progress', jobId, progress }),
      onPositions: (positions) => dispatch({ type: 'jobs-moved', positions }),
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    runs.stopAll();
  };
}
