// Results of a web page: blobs that the browser keeps, on its disk where they are large, as long as the page lives.

import type { ResultFile } from '../edits.ts';
import type { ResultWriter } from '../host.ts';
import { HostError } from '../problems.ts';

export interface ResultFiles {
  openWriter(name: { readonly jobId: string; readonly clipName: string; readonly extension: string }): ResultWriter;
  /** A finished file by the location that its writer gave it. */
  find(location: string): { readonly blob: Blob; readonly name: string } | null;
}

export function createResultFiles(): ResultFiles {
  const parts = new Map<string, Blob>();
  const finished = new Map<string, { readonly blob: Blob; readonly name: string }>();

  return {
    openWriter({ jobId, clipName, extension }) {
      let blob = parts.get(jobId) ?? new Blob([]);
      return {
        get receivedBytes() {
          return blob.size;
        },
        write(offset, bytes) {
          if (offset !== blob.size) {
            const message = `A piece for byte ${offset} came where ${blob.size} was expected.`;
            return Promise.reject(new HostError('file-unwritable', message));
          }
          // A copy: the bytes are a view into a message.
          blob = new Blob([blob, new Uint8Array(bytes)]);
          return Promise.resolve();
        },
        async read(offset, length) {
          return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
        },
        finish() {
          parts.delete(jobId);
          const name = `${clipName.replace(/\.[^.]*$/, '')}-edited-${jobId.slice(0, 4)}${extension}`;
          finished.set(jobId, { blob, name });
          const file: ResultFile = { location: jobId, name, sizeBytes: blob.size };
          return Promise.resolve(file);
        },
        pause() {
          parts.set(jobId, blob);
          return Promise.resolve();
        },
        discard() {
          parts.delete(jobId);
          return Promise.resolve();
        },
      };
    },
    find: (location) => finished.get(location) ?? null,
  };
}
