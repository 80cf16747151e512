// Names of uploads that have not ended, so that a reopened panel continues where the one before was cut off. Only for
// files that are the same the next time: an export is made again.

import { createTurns } from '../../../protocol/turns.ts';
import type { UploadedClip } from '../../../protocol/client/upload.ts';
import type { ExportedClip } from '../host/host.ts';
import type { ClipSnapshot, ExportMode } from '../host/selection.ts';
import type { EffectDeps } from './deps.ts';

const storageKey = 'uploads';
const maxNames = 20;

export interface KeptUploads {
  /** Sends a clip, and continues an upload of an earlier panel. Rejected as `Client.upload`. */
  send(
    exported: ExportedClip,
    clip: { readonly snapshot: ClipSnapshot; readonly mode: ExportMode },
    options: {
      readonly signal: AbortSignal;
      readonly onProgress: (sentBytes: number) => void;
    },
  ): Promise<UploadedClip>;
}

export function createKeptUploads({ host, client }: Pick<EffectDeps, 'host' | 'client'>): KeptUploads {
  const names = new Map<string, string>();
  const isRead = read();
  const writes = createTurns();

  async function read(): Promise<void> {
    try {
      const value: unknown = JSON.parse((await host.storage.read(storageKey)) ?? '[]');
      if (!Array.isArray(value)) throw new TypeError('It is no list.');
      for (const [file, uploadId] of value as readonly (readonly unknown[])[]) {
        if (typeof file === 'string' && typeof uploadId === 'string' && isId(uploadId)) {
          names.set(file, uploadId);
        }
      }
    } catch (error) {
      // Then the clip is sent from its beginning.
      host.shell.log(`Names of uploads could not be read: ${String(error)}`);
    }
  }

  function note(file: string, uploadId: string | null): void {
    names.delete(file);
    if (uploadId !== null) names.set(file, uploadId);
    const text = JSON.stringify([...names].slice(-maxNames));
    writes
      .take(() => host.storage.write(storageKey, text))
      .catch((error: unknown) => host.shell.log(`Names of uploads could not be kept: ${String(error)}`));
  }

  return {
    async send(exported, clip, { signal, onProgress }) {
      await isRead;
      const file = fileOf(clip, exported);
      const sent = await client.upload(exported, {
        uploadId: file === null ? null : (names.get(file) ?? null),
        onUploadId(uploadId) {
          if (file !== null) note(file, uploadId);
        },
        signal,
        onProgress,
      });
      if (file !== null) note(file, null);
      return sent;
    },
  };
}

/** The key that identifies the bytes of a clip; null if they will be different the next time. */
function fileOf(
  { snapshot, mode }: { readonly snapshot: ClipSnapshot; readonly mode: ExportMode },
  { sizeBytes }: ExportedClip,
): string | null {
  if (snapshot.kind === 'file') return `${snapshot.fileId}/${sizeBytes}`;
  return mode === 'source' ? `${snapshot.mediaPath}/${sizeBytes}` : null;
}

function isId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
