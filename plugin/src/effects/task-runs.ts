// Takes one task from its current step to the timeline: export, send, wait for the job, fetch, import, place. A task that
// was running when the panel closed is found again by its key or its job, and continues from there. A preview ends with
// its frames.

import { codecExtension } from '../../../protocol/codecs.ts';
import { isOutcome, type JobView } from '../../../protocol/job.ts';
import { createTurns } from '../../../protocol/turns.ts';
import { CanceledError, type EditError } from '../../../protocol/errors.ts';
import type { UploadedClip } from '../../../protocol/client/upload.ts';
import { watchJob } from '../../../protocol/client/watch-job.ts';
import type { ImportedResult, PlacedEdit, Recipe } from '../host/edits.ts';
import { measureThroughput, throughputKey } from '../state/throughput.ts';
import type { Task, TaskState } from '../state/task.ts';
import type { EffectDeps } from './deps.ts';
import { fetchInto } from './fetch-result.ts';
import { asClip } from './new-tasks.ts';
import type { KeptUploads } from './cached-uploads.ts';
import type { Preparation } from './prepare-effect.ts';
import { isCancel, problemOf } from './problem-of.ts';
import { rangeToEdit } from './range-to-edit.ts';

export interface TaskRuns {
  /** Starts an unfinished task; `isRestored`: an earlier run of the panel may have made its job. */
  start(key: string, isRestored?: boolean): void;
  /** Restarts a task whose result is here; at once, or after its current work has ended. */
  placeAgain(key: string, evenIfChanged: boolean): void;
  /** Ends the panel's own part of a task, and waits until all its work has ended. */
  stop(key: string): Promise<void>;
  stopAll(): void;
}

/** How clips come to the server. */
export interface Sending {
  readonly preparation: Pick<Preparation, 'sent'>;
  readonly uploads: KeptUploads;
}

/** A task at work. */
interface Run {
  readonly stop: AbortController;
  /** Settled when all work has ended; never rejected. */
  readonly ended: Promise<void>;
}

export function createTaskRuns(
  deps: Omit<EffectDeps, 'saveResult' | 'pictures'>,
  { preparation, uploads }: Sending,
): TaskRuns {
  const { host, client, store } = deps;
  const { dispatch } = store;
  const running = new Map<string, Run>();
  const restored = new Set<string>();
  /** Exports and changes of the timeline happen one at a time. */
  const hostTurns = createTurns();

  const taskOf = (key: string): Task | undefined => store.state.tasks.find((one) => one.key === key);
  const move = (key: string, state: TaskState): void => dispatch({ type: 'task-moved', key, state });

  function goOn(key: string, evenIfChanged = false): void {
    if (running.has(key)) return;
    const stop = new AbortController();
    const ended = run(key, stop.signal, evenIfChanged)
      .catch((error: unknown) => {
        if (taskOf(key)?.state.name === 'dropped') return;
        move(key, isCancel(error) ? { name: 'canceled' } : { name: 'failed', problem: problemOf(error) });
      })
      .finally(() => running.delete(key));
    running.set(key, { stop, ended });
  }

  async function run(key: string, signal: AbortSignal, evenIfChanged: boolean): Promise<void> {
    const task = taskOf(key);
    if (task === undefined) return;
    const jobId = task.jobId ?? (await findOrMake(task, signal));
    // A job that the server has paused continues when the user presses Resume.
    const job = await watchJob(client, jobId, { until: ({ state }) => isOutcome(state), signal });
    if (job.state === 'canceled') {
      move(key, { name: 'canceled' });
      return;
    }
    if (job.error !== null) {
      move(key, { name: 'failed', problem: job.error });
      return;
    }
    noteReport(task, job);
    if (task.settings.preview) move(key, { name: 'previewed' });
    else await bringHome(key, job, signal, evenIfChanged);
  }

  function noteReport({ key, model, settings }: Task, { report }: JobView): void {
    if (report === null) return;
    dispatch({ type: 'task-reported', key, report });
    // A preview computes fewer frames than the range of its edit, so its throughput says nothing about an edit.
    if (settings.preview) return;
    const throughput = measureThroughput(report);
    if (throughput !== null && model !== null) {
      dispatch({ type: 'throughput-measured', key: throughputKey(model, settings), throughput });
    }
  }

  /** The id of the task's job; the clip is sent where there is none yet. */
  async function findOrMake(task: Task, signal: AbortSignal): Promise<string> {
    const known = task.clipId === null ? await jobOfKey(task.key, signal) : undefined;
    if (known !== undefined) return take(task.key, known);
    const { clipId, media } = task;
    if (clipId !== null && media !== null) {
      try {
        return await makeJob(task, { clipId, media }, signal);
      } catch (error) {
        // The server has deleted the clip meanwhile.
        if ((error as EditError | null)?.code !== 'clip-missing') throw error;
      }
    }
    return makeJob(task, await send(task, signal), signal);
  }

  /** A stored task may have a job whose creation the panel did not learn. */
  async function jobOfKey(key: string, signal: AbortSignal): Promise<JobView | undefined> {
    if (!restored.has(key)) return undefined;
    return (await client.jobs(signal)).find((job) => job.key === key);
  }

  function take(key: string, job: JobView): string {
    dispatch({ type: 'task-taken', key, jobId: job.jobId });
    if (!isOutcome(job.state)) move(key, { name: 'queued', position: job.position });
    dispatch({ type: 'job-told', job });
    return job.jobId;
  }

  async function send(task: Task, signal: AbortSignal): Promise<UploadedClip> {
    const ahead = preparation.sent(asClip(task));
    if (ahead !== null) {
      const sent = await ahead;
      dispatch({ type: 'task-sent', key: task.key, ...sent });
      return sent;
    }
    const { key, snapshot, mode } = task;
    move(key, { name: 'exporting', progress: null });
    const exported = await hostTurns.take(() =>
      host.clips.export(snapshot, {
        mode,
        signal,
        onProgress: (progress) => move(key, { name: 'exporting', progress }),
      }),
    );
    try {
      const { sizeBytes } = exported;
      const onProgress = (sentBytes: number): void => move(key, { name: 'sending', sentBytes, sizeBytes });
      onProgress(0);
      const sent = await uploads.send(exported, task, { signal, onProgress });
      dispatch({ type: 'task-sent', key, ...sent });
      return sent;
    } finally {
      await exported.dispose().catch(() => undefined);
    }
  }

  async function makeJob(
    task: Task,
    { clipId, media }: Pick<UploadedClip, 'clipId' | 'media'>,
    signal: AbortSignal,
  ): Promise<string> {
    const { key, settings, model } = task;
    const range = rangeToEdit(task, media);
    // On a timeline the sound of the original plays on under the edit.
    const sound = host.abilities.timeline.isThere ? 'none' : 'keep';
    const wish = { clipId, settings: { ...settings, ...range, sound }, model, device: 'auto' } as const;
    const jobId = take(key, await client.createJob({ ...wish, key, priority: 0 }, signal));
    if (!signal.aborted) return jobId;
    // The task was canceled while the server made the job, and nothing else would end the job.
    await client.order('job-cancel', jobId);
    throw new CanceledError();
  }

  async function bringHome(key: string, job: JobView, signal: AbortSignal, evenIfChanged: boolean): Promise<void> {
    const task = taskOf(key);
    if (task === undefined) return;
    const placedBefore = await editWithJob(job.jobId);
    if (placedBefore !== undefined) {
      finish(key, placedBefore, job.jobId);
      return;
    }
    move(key, { name: 'fetching', receivedBytes: 0, sizeBytes: job.result?.sizeBytes ?? 0 });
    const file = await fetchInto(deps, {
      jobId: job.jobId,
      clipName: task.clipName,
      signal,
      extension: codecExtension(job.settings.codec),
      onProgress: (receivedBytes, sizeBytes) => move(key, { name: 'fetching', receivedBytes, sizeBytes }),
    });
    move(key, { name: 'placing' });
    const recipe: Recipe = {
      jobId: job.jobId,
      settings: job.settings,
      createdAt: job.createdAt,
      model: task.model ?? job.model ?? '',
    };
    try {
      const edit = await hostTurns.take(async () => {
        const result = await host.timeline.importResult(file, signal);
        await checkImport(result, job);
        return host.timeline.place({
          result,
          original: task.snapshot,
          originalName: task.clipName,
          recipe,
          evenIfChanged,
          hasAudio: job.settings.sound === 'none' ? false : (task.media?.audio.length ?? 1) > 0,
          editId: task.editId,
        });
      });
      finish(key, edit, job.jobId);
    } catch (error) {
      if (isCancel(error)) throw error;
      move(key, { name: 'unplaced', problem: problemOf(error) });
    }
  }

  /** Tells what the host reads otherwise. A host that cannot say has its line in the log: the result is placed all the same. */
  async function checkImport(result: ImportedResult, { report }: JobView): Promise<void> {
    if (report?.written === undefined) return;
    const { frames, frameRate, written } = report;
    try {
      const differences = await host.timeline.checkImport(result, { frames, frameRate, ...written });
      if (differences.length === 0) return;
      const message = `${result.path ?? result.resultId}: ${differences.join('; ')}.`;
      host.shell.log(message);
      dispatch({ type: 'toast-raised', text: 'failed', problem: { code: 'result-misread', message } });
    } catch (error) {
      if (isCancel(error)) throw error;
      host.shell.log(`The imported result was not checked: ${problemOf(error).message}`);
    }
  }

  async function editWithJob(jobId: string): Promise<PlacedEdit | undefined> {
    const edits = await host.timeline.edits();
    return edits.find(({ versions }) => versions.some(({ recipe }) => recipe.jobId === jobId));
  }

  function finish(key: string, edit: PlacedEdit, jobId: string): void {
    const version = edit.versions.find(({ recipe }) => recipe.jobId === jobId)?.version ?? 1;
    dispatch({ type: 'edit-changed', edit });
    move(key, { name: 'done', editId: edit.editId, version });
  }

  return {
    start(key, isRestored = false) {
      if (isRestored) restored.add(key);
      goOn(key);
    },
    placeAgain(key, evenIfChanged) {
      void Promise.resolve(running.get(key)?.ended).then(() => {
        if (taskOf(key)?.state.name === 'unplaced') goOn(key, evenIfChanged);
      });
    },
    async stop(key) {
      const run = running.get(key);
      run?.stop.abort();
      await run?.ended;
    },
    stopAll() {
      for (const { stop } of running.values()) stop.abort();
    },
  };
}
