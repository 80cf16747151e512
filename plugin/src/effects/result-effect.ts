// What a running edit looks like, and its result as soon as it is there: the comparison opens by itself, unless the user is
// busy with something that it would take away.

import { isOver } from '../state/task.ts';
import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';

export function startResultEffect({ client, store, pictures, isTyping }: EffectDeps): StopEffect {
  const { dispatch } = store;

  function mayOpen({ overlay, compare }: PanelState): boolean {
    return overlay === null && compare?.isPlaying !== true && !isTyping();
  }

  /** A picture is of use as long as its job runs. */
  function dropPictures({ growing, tasks }: PanelState): void {
    for (const [jobId, url] of Object.entries(growing)) {
      const task = tasks.find((one) => one.jobId === jobId);
      if (task !== undefined && !isOver(task)) continue;
      dispatch({ type: 'job-pictured', jobId, url: null });
      pictures.drop(url);
    }
  }

  const stopHearing = client.onJobs({
    onJob: () => undefined,
    onProgress: () => undefined,
    onPicture(jobId, { jpeg }) {
      const { growing, tasks } = store.state;
      if (!tasks.some((task) => task.jobId === jobId && !isOver(task))) return;
      const before = growing[jobId];
      dispatch({ type: 'job-pictured', jobId, url: pictures.make(jpeg) });
      if (before !== undefined) pictures.drop(before);
    },
  });
  const stopListening = store.subscribe((event, state) => {
    if (event.type === 'task-moved' && event.state.name === 'done') {
      const { editId, version } = event.state;
      if (mayOpen(state)) dispatch({ type: 'compare-opened', editId, version });
      else dispatch({ type: 'toast-raised', text: 'edit-done', problem: null });
    }
    if (event.type !== 'job-pictured') dropPictures(state);
  });
  return () => {
    stopHearing();
    stopListening();
  };
}
