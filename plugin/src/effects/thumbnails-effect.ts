// A small picture of every version: of the frame in its middle, fetched once.

import type { PanelState } from '../state/panel-state.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel } from './problem-of.ts';

/** Twice the width at which it is shown. */
const maxSide = 192;
const atOnce = 2;

export function startThumbnailsEffect({ client, store, pictures, host }: EffectDeps): StopEffect {
  const { dispatch } = store;
  const stopped = new AbortController();
  /** Jobs of which a picture was asked for. */
  const asked = new Set<string>();
  let inFlight = 0;

  const jobsOf = ({ edits }: PanelState): readonly string[] =>
    edits.flatMap(({ versions }) => versions.map(({ recipe }) => recipe.jobId)).reverse();

  function pump(): void {
    const { state } = store;
    if (state.link.name !== 'online') return;
    for (const jobId of jobsOf(state)) {
      if (inFlight >= atOnce) return;
      if (!asked.has(jobId)) void fetch(jobId);
    }
  }

  async function fetch(jobId: string): Promise<void> {
    asked.add(jobId);
    inFlight += 1;
    const { signal } = stopped;
    try {
      const { report } = await client.job(jobId, signal);
      const frameIndex = Math.floor((report?.frames ?? 1) / 2);
      const jpeg = await client.frame({ side: 'edit', id: jobId, frameIndex, maxSide }, signal);
      dispatch({ type: 'thumbnail-changed', jobId, url: pictures.make(jpeg) });
    } catch (error) {
      if (isCancel(error)) return;
      // The version is listed without a picture; its server may have deleted the job.
      host.shell.log(`There is no small picture of the job ${jobId}: ${String(error)}`);
    } finally {
      inFlight -= 1;
      if (!signal.aborted) pump();
    }
  }

  /** Frees the pictures of versions that were deleted. */
  function tidy(state: PanelState): void {
    const jobs = new Set(jobsOf(state));
    for (const [jobId, url] of Object.entries(state.thumbnails)) {
      if (jobs.has(jobId)) continue;
      asked.delete(jobId);
      dispatch({ type: 'thumbnail-changed', jobId, url: null });
      pictures.drop(url);
    }
  }

  const stopListening = store.subscribe((_event, state, before) => {
    if (state.edits === before.edits && state.link === before.link) return;
    tidy(state);
    pump();
  });
  return () => {
    stopListening();
    stopped.abort();
  };
}
