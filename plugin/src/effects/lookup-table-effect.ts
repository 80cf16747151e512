// A lookup table that the user picks: read here, sent to the server as a clip of one frame, and chosen in the form.

import { cubeExtension, lookupTableClip, parseCube } from '../../../protocol/lookup-table.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { isCancel, problemOf } from './problem-of.ts';

export function startLookupTableEffect({ host, client, store }: EffectDeps): StopEffect {
  const { dispatch } = store;
  let sending: AbortController | null = null;

  async function pick(): Promise<void> {
    try {
      const file = await host.files.openText(cubeExtension);
      if (file === null) return;
      const clip = lookupTableClip(parseCube(file.text, file.name));
      sending?.abort();
      const stop = new AbortController();
      sending = stop;
      const source = {
        sizeBytes: clip.length,
        extension: null,
        read: (offset: number, length: number) => Promise.resolve(clip.subarray(offset, offset + length)),
      };
      const { sha256 } = await client.upload(source, { uploadId: null, signal: stop.signal });
      dispatch({
        type: 'form-changed',
        change: { modelColour: 'table', lookupTable: { sha256, name: file.name.slice(0, 200) } },
      });
    } catch (error) {
      if (!isCancel(error)) dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) });
    }
  }

  const stopListening = store.subscribe((event) => {
    if (event.type === 'lookup-table-pressed') void pick();
  });
  return () => {
    stopListening();
    sending?.abort();
  };
}
