// Puts the Premiere side of the panel together. Each part is in its own file; this file only connects them.

import type { Host, HostTimeline } from '../host.ts';
import { HostError } from '../problems.ts';
import type { Sequence, Surroundings } from './api.ts';
import { createClipExports } from './export/clip-exports.ts';
import { checkImport } from './timeline/check-import.ts';
import { forgetVersion, isShown, openOriginal, revert, setShown } from './timeline/compare-revert.ts';
import { createEditRecords } from './timeline/placed-edits.ts';
import { setUpEntryPoints } from './entry-points.ts';
import { subscribeSelection } from './events.ts';
import { createFiles, makeFolder, resultFolderName } from './files.ts';
import { answeringAll, guarded } from './guard.ts';
import { joinPath } from './open-file.ts';
import { createPanelLog, logFolderName } from './panel-log.ts';
import { placeResult, placeVersion } from './timeline/place.ts';
import { findPlacedVersions, toEditRecord } from './timeline/placed-versions.ts';
import { probeAbilities } from './probe.ts';
import { importResult } from './timeline/project-items.ts';
import { selectClip } from './timeline/select-clip.ts';
import { showSample } from './timeline/sample-clip.ts';
import { readSelection } from './timeline/selection-reader.ts';
import { createMenus, createShell, createTheme } from './shell.ts';
import { createNoteReader } from './server-note.ts';
import { createStorage } from './storage.ts';
import { findSequence, openProject } from './timeline/timeline-items.ts';

const exportFolderName = 'exports';

export interface PremiereHost extends Host {
  /** Announces panel, command and menu to UXP. Once, right after loading. */
  start(showPanel: (root: unknown) => void): void;
}

/** `newId` makes the ids of edits and of files: letters and digits, never the same twice. */
export function createPremiereHost(surroundings: Surroundings, newId: () => string): PremiereHost {
  const log = createPanelLog(surroundings);
  const abilities = probeAbilities(surroundings);
  log(`Starts in ${surroundings.uxp.host.name} ${surroundings.uxp.host.version}.`);
  for (const ability of Object.values(abilities)) {
    if (!ability.isThere) log(`${ability.name}: ${ability.detail}; instead ${ability.fallback ?? 'nothing'}.`);
  }
  const storage = createStorage(surroundings, log);
  const records = createEditRecords(surroundings, storage, log, abilities['sequence-records'].isThere);
  const menus = createMenus();
  let logFolder: string | null = null;

  async function dataFolder(name: string): Promise<string> {
    const { nativePath } = await surroundings.uxp.storage.localFileSystem.getDataFolder();
    const folder = joinPath(nativePath, name);
    await makeFolder(surroundings.fs, folder);
    return folder;
  }
  void dataFolder(logFolderName).then(
    (folder) => (logFolder = folder),
    (error: unknown) => log(`No log folder: ${String(error)}`),
  );

  async function activeSequence(): Promise<Sequence> {
    const project = await openProject(surroundings);
    const sequence = (await project.getActiveSequence()) as Sequence | null | undefined;
    if (sequence == null) throw new HostError('sequence-closed', 'No sequence is open.');
    return sequence;
  }

  /** The sequence that holds the edit: the active one, or another of the project. */
  async function sequenceOf(editId: string): Promise<Sequence> {
    const project = await openProject(surroundings);
    const active = await activeSequence();
    for (const sequence of [active, ...(await project.getSequences())]) {
      const edits = await records.read(sequence);
      if (edits.some((edit) => edit.editId === editId)) {
        return findSequence(project, sequence.guid.toString());
      }
    }
    throw new HostError('edit-missing', `No sequence of the project has the edit ${editId}.`);
  }

  const parts = { surroundings, storage, records, newId, log };
  const timeline: HostTimeline = {
    importResult: async (file, signal) => importResult(surroundings, file, signal),
    checkImport: async ({ resultId }, written) => checkImport(surroundings, resultId, written),
    place: async (request) => placeResult(parts, request),
    showVersion: async (editId, version) => placeVersion(parts, await sequenceOf(editId), editId, version),
    setShown: async (editId, shown) => setShown(parts, await sequenceOf(editId), editId, shown),
    isShown: async (editId) => isShown(parts, await sequenceOf(editId), editId),
    revert: async (editId) => revert(parts, await sequenceOf(editId), editId),
    forgetVersion: async (editId, version) => forgetVersion(parts, await sequenceOf(editId), editId, version),
    async edits() {
      const sequence = await activeSequence();
      const stored = await records.read(sequence);
      const placed = await findPlacedVersions(surroundings, sequence, stored);
      return stored.map((edit) => toEditRecord(edit, placed));
    },
    openOriginal: async (editId) => openOriginal(parts, await sequenceOf(editId), editId),
    async playhead() {
      const project = await openProject(surroundings);
      const sequence = (await project.getActiveSequence()) as Sequence | null | undefined;
      return sequence == null ? null : (await sequence.getPlayerPosition()).ticks;
    },
  };

  const files = createFiles({ surroundings, storage, resultFolder: () => dataFolder(resultFolderName) });
  const { host } = surroundings.uxp;
  return {
    kind: 'premiere',
    product: `${host.name} ${host.version}`,
    abilities,
    selection: answeringAll(log, 'selection', {
      read: async () =>
        readSelection({
          surroundings,
          log,
          async placedVersions(sequence) {
            return findPlacedVersions(surroundings, sequence, await records.read(sequence));
          },
        }),
      select: (snapshot) => selectClip(surroundings, snapshot),
      subscribe: (listener) =>
        abilities['selection-events'].isThere
          ? subscribeSelection(surroundings, guarded(log, 'selection', listener))
          : () => undefined,
    }),
    clips: answeringAll(log, 'clips', {
      ...createClipExports({
        ...parts,
        hasExportEvents: abilities['export-events'].isThere,
        exportFolder: () => dataFolder(exportFolderName),
      }),
      takeSample: async (sample) =>
        showSample(surroundings, { path: await files.writeSample(sample), title: sample.title }),
    }),
    timeline: answeringAll(log, 'timeline', timeline),
    files: answeringAll(log, 'files', files),
    storage: answeringAll(log, 'storage', storage),
    theme: createTheme(surroundings, log),
    shell: createShell(surroundings, menus, () => logFolder, log),
    readServerNote: createNoteReader(surroundings, log),
    start: (showPanel) => setUpEntryPoints(surroundings.uxp, menus, showPanel, log),
  };
}
