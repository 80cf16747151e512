// The selection of a web page: one file and a range of it. After a reload the page has the file's name only, and the
// server still has the clip.

import { clipExtensions, type ClipExtension } from '../../../../protocol/messages/clip-messages.ts';
import { throwIfCanceled } from '../../../../protocol/errors.ts';
import type { ExportedClip, HostClips, HostSelection } from '../host.ts';
import { HostError } from '../problems.ts';
import type { FileSnapshot, SelectedClip, SelectionReading } from '../selection.ts';
import { readSelected, writeSelected } from './file-snapshot.ts';
import type { TextStorage } from './text-storage.ts';
import type { PageFiles } from './page-files.ts';

/** The page is the project. */
export const pageProject = { id: 'browser', name: 'Browser' } as const;

export interface FileSelection {
  readonly selection: HostSelection;
  readonly clips: HostClips;
  readonly files: Omit<PageFiles, 'save'>;
}

export function createFileSelection(page: Document, storage: TextStorage): FileSelection {
  const listeners = new Set<() => void>();
  let file: File | null = null;
  let url: string | null = null;
  let selected = readSelected(storage);

  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };

  function select(next: FileSnapshot | null): void {
    selected = next;
    writeSelected(storage, next);
    changed();
  }

  function choose(next: File | null): void {
    if (url !== null) URL.revokeObjectURL(url);
    file = next;
    url = next === null ? null : URL.createObjectURL(next);
    select(next === null ? null : wholeOf(next));
  }

  function read(): SelectionReading {
    const place = { project: pageProject, sequence: pageProject, rejected: [] };
    if (selected === null) return { ...place, clips: [], empty: 'nothing-selected' };
    const clip: SelectedClip = {
      key: `${selected.fileId}/${selected.startSeconds ?? ''}-${selected.endSeconds ?? ''}`,
      name: selected.fileName,
      snapshot: selected,
      frames: null,
      frameRate: null,
      size: null,
      warnings: [],
      modes: ['source'] as const,
      freeTrackIndex: null,
      edit: null,
    };
    return { ...place, clips: [clip], empty: null };
  }

  function open(snapshot: FileSnapshot): ExportedClip {
    const opened = file;
    if (opened === null || fileIdOf(opened) !== snapshot.fileId) {
      throw new HostError('file-missing', `The page does not have ${snapshot.fileName} any more.`);
    }
    const { startSeconds, endSeconds } = snapshot;
    return {
      sizeBytes: opened.size,
      extension: extensionOf(opened.name),
      range: startSeconds === null || endSeconds === null ? null : { startSeconds, endSeconds },
      frames: null,
      async read(offset, length) {
        try {
          return new Uint8Array(await opened.slice(offset, offset + length).arrayBuffer());
        } catch (error) {
          // The file was changed or removed since it was chosen.
          throw new HostError('file-unreadable', `${opened.name} cannot be read.`, error);
        }
      },
      dispose: () => Promise.resolve(),
    };
  }

  return {
    selection: {
      read: () => Promise.resolve(read()),
      subscribe(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      select(snapshot) {
        if (snapshot.kind !== 'file') return Promise.resolve(false);
        if (file !== null && fileIdOf(file) !== snapshot.fileId) choose(null);
        select(snapshot);
        return Promise.resolve(true);
      },
    },
    clips: {
      // eslint-disable-next-line @typescript-eslint/require-await -- so that what it throws rejects the promise
      async export(snapshot, { signal }) {
        throwIfCanceled(signal);
        if (snapshot.kind === 'file') return open(snapshot);
        throw new HostError('host-lacks', 'A web page has no timeline to export from.');
      },
      takeSample({ fileName, bytes }) {
        choose(new File([new Uint8Array(bytes)], fileName, { type: 'video/mp4', lastModified: 0 }));
        return Promise.resolve();
      },
      recover: () => Promise.resolve([]),
    },
    files: {
      take: choose,
      pick() {
        const input = page.createElement('input');
        input.type = 'file';
        input.accept = `video/*,${clipExtensions.map((one) => `.${one}`).join(',')}`;
        input.onchange = () => {
          const picked = input.files?.[0];
          if (picked !== undefined) choose(picked);
        };
        input.click();
      },
      clear: () => choose(null),
      setRange(range) {
        if (selected === null) return;
        const { startSeconds = null, endSeconds = null } = range ?? {};
        select({ ...selected, startSeconds, endSeconds });
      },
      urlOf: (fileId) => (file !== null && fileIdOf(file) === fileId ? url : null),
    },
  };
}

function wholeOf(file: File): FileSnapshot {
  const { name, size } = file;
  const fileId = fileIdOf(file);
  return { kind: 'file', fileId, fileName: name, sizeBytes: size, startSeconds: null, endSeconds: null };
}

/** The same file is recognised after the page was reloaded. */
function fileIdOf({ name, size, lastModified }: File): string {
  return `${name}/${size}/${lastModified}`;
}

function extensionOf(name: string): ClipExtension | null {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return clipExtensions.find((extension) => extension === ending) ?? null;
}
