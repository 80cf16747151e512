// Tasks: the panel's own steps as the effects report them, and the server's steps from its events about jobs.

import type { JobView } from '../../../../protocol/job.ts';
import type { PanelEvent } from '../events.ts';
import type { PanelState } from '../panel-state.ts';
import { isListed, isOnServer, isOver, type Task, type TaskState } from '../task.ts';

export function reduceTasks(state: PanelState, event: PanelEvent): PanelState {
  switch (event.type) {
    case 'task-added':
      return {
        ...state,
        tasks: [event.task, ...state.tasks],
        // The edit of the preview has not started yet.
        rerunOf: event.task.settings.preview ? state.rerunOf : null,
      };
    case 'task-moved':
      return change(state, event.key, (task) => ({
        ...task,
        state: event.state,
        isCanceling: task.isCanceling && !isOver({ ...task, state: event.state }),
      }));
    case 'task-sent':
      return change(state, event.key, (task) => ({
        ...task,
        clipId: event.clipId,
        media: event.media,
        frames: task.frames ?? event.media.frameCount,
      }));
    case 'task-taken':
      return change(state, event.key, (task) => ({ ...task, jobId: event.jobId }));
    case 'task-canceling':
      return change(state, event.key, (task) => ({ ...task, isCanceling: !isOver(task) }));
    case 'task-reported':
      return change(state, event.key, (task) => ({ ...task, report: event.report }));
    case 'task-pause-pressed':
      return change(state, event.key, (task) => ({ ...task, asked: isOver(task) ? null : 'pause' }));
    case 'task-resume-pressed':
      return change(state, event.key, (task) => ({ ...task, asked: task.state.name === 'paused' ? 'resume' : null }));
    case 'task-order-ended':
      return change(state, event.key, (task) => ({ ...task, asked: null }));
    case 'finished-dismissed':
      return { ...state, tasks: state.tasks.filter((task) => !isOver(task) || !isListed(task)) };
    case 'task-dismissed':
      return {
        ...state,
        tasks: state.tasks.filter((task) => task.key !== event.key || !isOver(task)),
      };
    case 'job-told':
      return hearOfJob(state, event.job);
    case 'jobs-moved': {
      const positions = new Map(event.positions.map(({ jobId, position }) => [jobId, position]));
      return {
        ...state,
        tasks: state.tasks.map((task) => {
          const position = positions.get(task.jobId ?? '');
          if (position === undefined || task.state.name !== 'queued') return task;
          return { ...task, state: { name: 'queued', position } };
        }),
      };
    }
    case 'job-progress':
      return {
        ...state,
        tasks: state.tasks.map((task) =>
          task.jobId === event.jobId && task.state.name === 'running'
            ? { ...task, state: { name: 'running', progress: event.progress, isStarting: false } }
            : task,
        ),
      };
    default:
      return state;
  }
}

function change(state: PanelState, key: string, next: (task: Task) => Task): PanelState {
  return { ...state, tasks: state.tasks.map((task) => (task.key === key ? next(task) : task)) };
}

/** The server's reports count while the server has the task; the steps before and after are the panel's own. */
function hearOfJob(state: PanelState, job: JobView): PanelState {
  const waiting = stateOfJob(job);
  return change(state, job.key, (task) => {
    if (task.jobId === null && !isOver(task)) return { ...task, jobId: job.jobId };
    if (!isOnServer(task) || waiting === null) return task;
    const asked = task.asked !== null && isAnswered(task.asked, waiting) ? null : task.asked;
    if (waiting.name !== 'running') return { ...task, asked, state: waiting };
    // A job that goes on has the progress of before, while its engine is loading.
    const isStarting = task.state.name === 'running' ? task.state.isStarting : true;
    return { ...task, asked, state: { ...waiting, isStarting } };
  });
}

function isAnswered(asked: 'pause' | 'resume', { name }: TaskState): boolean {
  return asked === 'pause' ? name === 'paused' : name === 'running' || name === 'queued';
}

function stateOfJob({ state, position, progress, error }: JobView): TaskState | null {
  switch (state) {
    case 'queued':
      return { name: 'queued', position };
    case 'running':
      return { name: 'running', progress, isStarting: progress === null };
    case 'paused':
      return { name: 'paused', progress, problem: error };
    // The effect decides what follows an outcome.
    case 'done':
    case 'failed':
    case 'canceled':
      return null;
  }
}
