// Exports one after the other: Premiere has one exporter, and two copies of a sequence at once could be mistaken for
// each other.

import { clipExtensions } from '../../../../../protocol/messages/clip-messages.ts';
import { orCanceled, throwIfCanceled } from '../../../../../protocol/errors.ts';
import type { ExportedClip, HostClips, HostStorage } from '../../host.ts';
import { HostError } from '../../problems.ts';
import type { ClipSnapshot, TimelineSnapshot } from '../../selection.ts';
import { sourceRange } from '../../source-range.ts';
import { wholeFrames } from '../../ticks.ts';
import type { Surroundings } from '../api.ts';
import { choosePreset } from './export-presets.ts';
import { exportRendered } from './export-rendered.ts';
import { joinPath, openFile, removeFile, sizeOfFile } from '../open-file.ts';
import { recover } from './restore-plan.ts';
import { findSequence, openProject } from '../timeline/timeline-items.ts';

export interface ExportSources {
  readonly surroundings: Surroundings;
  readonly storage: HostStorage;
  readonly hasExportEvents: boolean;
  /** Native path of a folder for exports; it is created at the first call. */
  exportFolder(): Promise<string>;
  readonly newId: () => string;
  readonly log: (line: string) => void;
}

export function createClipExports(sources: ExportSources): Omit<HostClips, 'takeSample'> {
  // Ends, never rejected, when Premiere's exporter is free again.
  let exporterIsFree: Promise<void> = Promise.resolve();

  async function rendered(
    snapshot: TimelineSnapshot,
    { onProgress, signal }: Parameters<HostClips['export']>[1],
  ): Promise<ExportedClip> {
    const { surroundings, storage } = sources;
    await orCanceled(exporterIsFree, signal);
    const project = await openProject(surroundings, snapshot.projectId);
    const sequence = await findSequence(project, snapshot.sequenceId);
    const preset = await choosePreset(surroundings, storage, sequence);
    const folder = await sources.exportFolder();
    const path = joinPath(folder, `${sources.newId()}.${preset.extension}`);
    sources.log(`Export of ${JSON.stringify(snapshot)} with ${preset.path} to ${path}.`);
    const request = { snapshot, preset, path, onProgress, signal };
    const rendering = exportRendered(sources, request);
    exporterIsFree = rendering.then(
      () => undefined,
      () => undefined,
    );
    const sizeBytes = await orCanceled(rendering, signal);
    const file = await openFile(surroundings.fs, path, 'r');
    return {
      sizeBytes,
      extension: preset.extension,
      range: null,
      frames: wholeFrames(snapshot.start, snapshot.end, snapshot.ticksPerFrame),
      read: (offset, length) => file.read(offset, length),
      async dispose() {
        await file.close();
        await removeFile(surroundings.fs, path);
      },
    };
  }

  async function source(snapshot: TimelineSnapshot): Promise<ExportedClip> {
    const { fs } = sources.surroundings;
    const sizeBytes = await sizeOfFile(fs, snapshot.mediaPath);
    if (sizeBytes === null) throw new HostError('file-missing', `${snapshot.mediaPath} is not there.`);
    const file = await openFile(fs, snapshot.mediaPath, 'r');
    const ending = snapshot.mediaPath.slice(snapshot.mediaPath.lastIndexOf('.') + 1).toLowerCase();
    return {
      sizeBytes,
      extension: clipExtensions.find((one) => one === ending) ?? null,
      range: sourceRange(snapshot),
      frames: wholeFrames(snapshot.start, snapshot.end, snapshot.ticksPerFrame),
      read: (offset, length) => file.read(offset, length),
      dispose: () => file.close(),
    };
  }

  return {
    async export(snapshot: ClipSnapshot, options) {
      throwIfCanceled(options.signal);
      if (snapshot.kind !== 'timeline') throw new HostError('host-lacks', 'No clip of a timeline.');
      return options.mode === 'rendered' ? rendered(snapshot, options) : source(snapshot);
    },
    recover: async () => recover(sources.surroundings, sources.storage),
  };
}
