// Which files the server has: a page that was reloaded has lost its file, and the server has not.

import { createTurns } from '../../../protocol/turns.ts';
import { EditError } from '../../../protocol/errors.ts';
import type { UploadedClip } from '../../../protocol/client/upload.ts';
import type { EffectDeps } from './deps.ts';

const storageKey = 'clips';
const maxClips = 50;

export interface SentClips {
  /** The clip of a file, as the server has it; null when it has none. */
  find(sourceId: string): Promise<UploadedClip | null>;
  note(sourceId: string, clipId: string): void;
}

export function createSentClips({ host, client }: Pick<EffectDeps, 'host' | 'client'>): SentClips {
  const clips = new Map<string, string>();
  const isRead = read();
  const writes = createTurns();

  async function read(): Promise<void> {
    try {
      const kept: unknown = JSON.parse((await host.storage.read(storageKey)) ?? '[]');
      if (!Array.isArray(kept)) throw new TypeError('It is no list.');
      for (const [sourceId, clipId] of kept as readonly (readonly unknown[])[]) {
        if (typeof sourceId === 'string' && typeof clipId === 'string' && !clips.has(sourceId)) {
          clips.set(sourceId, clipId);
        }
      }
    } catch (error) {
      // Then the file has to be chosen again.
      host.shell.log(`The list of clips on the server could not be read: ${String(error)}`);
    }
  }

  function keep(): void {
    const text = JSON.stringify([...clips].slice(-maxClips));
    writes
      .take(() => host.storage.write(storageKey, text))
      .catch((error: unknown) => host.shell.log(`The list of clips on the server could not be kept: ${String(error)}`));
  }

  return {
    async find(sourceId) {
      await isRead;
      const clipId = clips.get(sourceId);
      if (clipId === undefined) return null;
      try {
        const { media, sha256 } = await client.request({ type: 'clip-get', clipId });
        return { clipId, media, sha256 };
      } catch (error) {
        if (!(error instanceof EditError) || error.code !== 'clip-missing') throw error;
        clips.delete(sourceId);
        keep();
        return null;
      }
    },
    note(sourceId, clipId) {
      if (clips.get(sourceId) === clipId) return;
      clips.delete(sourceId);
      clips.set(sourceId, clipId);
      keep();
    },
  };
}
