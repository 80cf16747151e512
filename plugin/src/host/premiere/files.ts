// Where results are kept: in the folder `TokenFlow` beside the project, with the clip in their names. A result that is
// still being downloaded is there under its job's id, so that an interrupted download continues where it stopped.

import type { HostFiles, ResultWriter, SampleClip } from '../host.ts';
import { HostError } from '../problems.ts';
import type { HostStorage } from '../host.ts';
import { pictureExtensions } from '../../../../protocol/messages/clip-messages.ts';
import type { Surroundings } from './api.ts';
import type { Log } from './guard.ts';
import { rememberPreset } from './export/export-presets.ts';
import { folderOf, joinPath, openFile, removeFile, sizeOfFile } from './open-file.ts';
import { openProject } from './timeline/timeline-items.ts';

export const resultFolderName = 'TokenFlow';
const maxNameCharacters = 60;
const maxSameNames = 10_000;

export interface FileSources {
  readonly surroundings: Surroundings;
  readonly storage: HostStorage;
  readonly log: Log;
  /** Native path of the panel's own folder for results of projects that were never saved. */
  resultFolder(): Promise<string>;
}

export interface PremiereFiles extends HostFiles {
  /** Writes a sample clip into the folder of results; returns its path. Throws HostError 'file-unwritable'. */
  writeSample(sample: SampleClip): Promise<string>;
}

export function createFiles(sources: FileSources): PremiereFiles {
  const { surroundings, storage, log } = sources;
  const { fs, uxp } = surroundings;
  const picker = uxp.storage.localFileSystem;

  async function folderForResults(): Promise<string> {
    const { path } = await openProject(surroundings);
    const folder = path === '' ? await sources.resultFolder() : joinPath(folderOf(path), resultFolderName);
    await makeFolder(fs, folder);
    return folder;
  }

  /** A file that is there already with as many bytes is the same one. */
  async function writeSample({ fileName, bytes }: SampleClip): Promise<string> {
    const path = joinPath(await folderForResults(), fileName);
    if ((await sizeOfFile(fs, path)) === bytes.length) return path;
    const file = await openFile(fs, path, 'w+');
    try {
      await file.write(0, bytes);
    } finally {
      await file.close();
    }
    return path;
  }

  async function openResult({
    jobId,
    clipName,
    extension,
  }: Parameters<HostFiles['openResult']>[0]): Promise<ResultWriter> {
    const folder = await folderForResults();
    const partPath = joinPath(folder, `${plainName(jobId)}.part`);
    const receivedBytes = (await sizeOfFile(fs, partPath)) ?? 0;
    const file = await openFile(fs, partPath, receivedBytes > 0 ? 'r+' : 'w+');
    let sizeBytes = receivedBytes;
    return {
      get receivedBytes() {
        return sizeBytes;
      },
      async write(offset, bytes) {
        await file.write(offset, bytes);
        sizeBytes = Math.max(sizeBytes, offset + bytes.length);
      },
      read: (offset, length) => file.read(offset, length),
      async finish() {
        await file.close();
        const sizeOnDisk = await sizeOfFile(fs, partPath);
        if (sizeOnDisk !== sizeBytes) {
          throw new HostError(
            'file-unwritable',
            `${partPath} has ${String(sizeOnDisk)} bytes instead of ${sizeBytes}.`,
          );
        }
        const name = await freeName(folder, plainName(clipName), extension);
        const location = joinPath(folder, name);
        await fs.rename(partPath, location);
        return { location, name, sizeBytes };
      },
      pause: () => file.close(),
      async discard() {
        await file.close();
        await removeFile(fs, partPath);
      },
    };
  }

  /** A name that no file has yet: nothing is ever overwritten. */
  async function freeName(folder: string, stem: string, extension: string): Promise<string> {
    for (let count = 1; count <= maxSameNames; count += 1) {
      const name = `${stem} TokenFlow ${count}${extension}`;
      if ((await sizeOfFile(fs, joinPath(folder, name))) === null) return name;
    }
    throw new HostError('file-unwritable', `${folder} holds too many files for ${stem}.`);
  }

  /** In the system's program for pictures. The file is saved either way; the log has the reason. */
  async function openPicture(path: string): Promise<void> {
    try {
      // The answer is an empty text, or what went wrong.
      const complaint = await uxp.shell?.openPath(path, 'Opens the frame that you have saved, to paint on it.');
      if (complaint !== undefined && complaint !== '') log(`The picture was not opened: ${complaint}`);
    } catch (error) {
      log(`The picture was not opened: ${String(error)}`);
    }
  }

  return {
    openResult,
    writeSample,
    async openText(extension) {
      const file = await picker.getFileForOpening({ types: [extension] });
      if (file === null) return null;
      const text = await file.read();
      if (typeof text !== 'string') throw new HostError('file-unreadable', `${file.name} is no text.`);
      return { name: file.name, text };
    },
    async saveText(suggestedName, text) {
      const extension = suggestedName.slice(suggestedName.lastIndexOf('.') + 1);
      const file = await picker.getFileForSaving(suggestedName, { types: [extension] });
      if (file === null) return false;
      await file.write(text);
      return true;
    },
    async savePicture(suggestedName, png) {
      const chosen = await picker.getFileForSaving(suggestedName, { types: ['png'] });
      if (chosen === null) return false;
      const file = await openFile(fs, chosen.nativePath, 'w+');
      try {
        await file.write(0, png);
      } finally {
        await file.close();
      }
      await openPicture(chosen.nativePath);
      return true;
    },
    async openPicture() {
      const chosen = await picker.getFileForOpening({ types: [...pictureExtensions] });
      if (chosen === null) return null;
      const sizeBytes = (await sizeOfFile(fs, chosen.nativePath)) ?? 0;
      const file = await openFile(fs, chosen.nativePath, 'r');
      try {
        return { name: chosen.name, bytes: await file.read(0, sizeBytes) };
      } finally {
        await file.close();
      }
    },
    async pickExportPreset() {
      const file = await picker.getFileForOpening({ types: ['epr'] });
      if (file === null) return false;
      await rememberPreset(storage, file.nativePath);
      return true;
    },
  };
}

export async function makeFolder(fs: Surroundings['fs'], folder: string): Promise<void> {
  if ((await sizeOfFile(fs, folder)) !== null) return;
  await fs.mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new HostError('file-unwritable', `${folder}: ${String(error)}`, error);
  });
}

/** A name that every file system takes. */
export function plainName(name: string): string {
  const plain = name
    .replace(/\.[A-Za-z0-9]{1,5}$/, '')
    .replace(/[^\p{L}\p{N} _.-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[ .]+|[ .]+$/g, '')
    .slice(0, maxNameCharacters)
    .trim();
  return plain === '' ? 'clip' : plain;
}
