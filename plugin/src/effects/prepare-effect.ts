// Sends a file as soon as it is chosen, so that the server can probe it and estimate an edit. A clip on a
// timeline is not sent before Apply, because its export takes time.

import type { UploadedClip } from '../../../protocol/client/upload.ts';
import type { SelectedClip } from '../host/selection.ts';
import { sourceIdOf } from '../state/choices.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import type { KeptUploads } from './cached-uploads.ts';
import { isCancel, problemOf } from './problem-of.ts';

export interface Preparation {
  /** The clip on the server, or on its way there; null when this file is not sent in advance. */
  sent(clip: SelectedClip): Promise<UploadedClip> | null;
  readonly stop: StopEffect;
}

export function startPrepareEffect({ host, store }: EffectDeps, uploads: KeptUploads): Preparation {
  const { dispatch } = store;
  let current: {
    readonly sourceId: string;
    readonly stop: AbortController;
    readonly sent: Promise<UploadedClip>;
  } | null = null;

  async function send(clip: SelectedClip, stop: AbortController): Promise<UploadedClip> {
    const sourceId = sourceIdOf(clip);
    const exported = await host.clips.export(clip.snapshot, {
      mode: 'source',
      signal: stop.signal,
    });
    try {
      const { sizeBytes } = exported;
      dispatch({ type: 'prepare-progress', sourceId, sentBytes: 0, sizeBytes });
      const wish = { snapshot: clip.snapshot, mode: 'source' } as const;
      const sent = await uploads.send(exported, wish, {
        signal: stop.signal,
        onProgress: (sentBytes) => dispatch({ type: 'prepare-progress', sourceId, sentBytes, sizeBytes }),
      });
      dispatch({ type: 'prepare-done', sourceId, ...sent });
      return sent;
    } finally {
      await exported.dispose();
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
