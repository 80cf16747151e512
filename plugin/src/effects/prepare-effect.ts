// Sends a file as soon as it is chosen, so that the server can probe it and estimate an edit. A clip on a
// timeline is not sent before Apply, because its export takes time.

import type { UploadedClip } from '../../../protocol/client/upload.ts';
import type { ExportedClip } from '../host/host.ts';
import { HostError } from '../host/problems.ts';
import type { FileSnapshot, SelectedClip } from '../host/selection.ts';
import { sourceIdOf } from '../state/choices.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import type { KeptUploads } from './cached-uploads.ts';
import { isCancel, problemOf } from './problem-of.ts';
import type { SentClips } from './sent-clips.ts';

export interface Preparation {
  /** The clip on the server, or on its way there; null when this file is not sent in advance. */
  sent(clip: SelectedClip): Promise<UploadedClip> | null;
  readonly stop: StopEffect;
}

export function startPrepareEffect(
  { host, store }: EffectDeps,
  { uploads, sentClips }: { readonly uploads: KeptUploads; readonly sentClips: SentClips },
): Preparation {
  const { dispatch } = store;
  let current: {
    readonly sourceId: string;
    readonly stop: AbortController;
    readonly sent: Promise<UploadedClip>;
  } | null = null;

  async function send(clip: SelectedClip, stop: AbortController): Promise<UploadedClip> {
    const sourceId = sourceIdOf(clip);
    const exported = await open(clip, stop);
    if (exported === null) {
      const { sizeBytes } = clip.snapshot as FileSnapshot;
      dispatch({ type: 'prepare-progress', sourceId, sentBytes: sizeBytes, sizeBytes });
      const found = await sentClips.find(sourceId);
      if (found === null) throw new HostError('file-missing', `The page does not have ${clip.name} any more.`);
      if (!stop.signal.aborted) dispatch({ type: 'prepare-done', sourceId, ...found });
      return found;
    }
    try {
      const { sizeBytes } = exported;
      dispatch({ type: 'prepare-progress', sourceId, sentBytes: 0, sizeBytes });
      const wish = { snapshot: clip.snapshot, mode: 'source' } as const;
      const sent = await uploads.send(exported, wish, {
        signal: stop.signal,
        onProgress: (sentBytes) => dispatch({ type: 'prepare-progress', sourceId, sentBytes, sizeBytes }),
      });
      sentClips.note(sourceId, sent.clipId);
      dispatch({ type: 'prepare-done', sourceId, ...sent });
      return sent;
    } finally {
      await exported.dispose();
    }
  }

  /** Null when the page does not have the file any more: it was reloaded since. */
  async function open(clip: SelectedClip, { signal }: AbortController): Promise<ExportedClip | null> {
    try {
      return await host.clips.export(clip.snapshot, { mode: 'source', signal });
    } catch (error) {
      if (error instanceof HostError && error.code === 'file-missing') return null;
      throw error;
    }
  }

  const stopListening = store.subscribe((event) => {
    if (event.type !== 'selection-read') return;
    const clip = event.selection.clips.find(({ snapshot }) => snapshot.kind === 'file');
    const sourceId = clip === undefined ? null : sourceIdOf(clip);
    if (current?.sourceId === sourceId) return;
    current?.stop.abort();
    current = null;
    if (clip === undefined || sourceId === null) return;
    const stop = new AbortController();
    const sent = send(clip, stop);
    sent.catch((error: unknown) => {
      if (!isCancel(error)) dispatch({ type: 'prepare-failed', sourceId, problem: problemOf(error) });
    });
    current = { sourceId, stop, sent };
  });

  return {
    sent: (clip) => (current?.sourceId === sourceIdOf(clip) ? current.sent : null),
    stop() {
      stopListening();
      current?.stop.abort();
    },
  };
}
