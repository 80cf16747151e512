// A file of exactly the selected clip as it looks, effects included. Premiere exports only a sequence's composite, so
// the clip is isolated in a copy of the sequence: everything else in its range is switched off there, the copy's in
// and out points frame it, and the copy is deleted afterwards. The user's own sequence is never changed.

import { throwIfCanceled, type Signal } from '../../../../../protocol/errors.ts';
import { HostError } from '../../problems.ts';
import type { HostStorage } from '../../host.ts';
import type { TimelineSnapshot } from '../../selection.ts';
import { spansOverlap } from '../../ticks.ts';
import type { Project, Sequence, Surroundings } from '../api.ts';
import type { ExportPreset } from './export-presets.ts';
import { watchExport } from './export-wait.ts';
import { removeFile } from '../open-file.ts';
import { clearPlan, cloneName, writePlan } from './restore-plan.ts';
import { findSequence, findSnapshot, openProject, readTracks } from '../timeline/timeline-items.ts';
import { runTransaction } from '../timeline/transaction.ts';

export interface RenderSources {
  readonly surroundings: Surroundings;
  readonly storage: HostStorage;
  readonly hasExportEvents: boolean;
  readonly log: (line: string) => void;
}

export interface RenderRequest {
  readonly snapshot: TimelineSnapshot;
  readonly preset: ExportPreset;
  /** Path of the file to make. */
  readonly path: string;
  readonly onProgress?: ((progress: number | null) => void) | undefined;
  readonly signal?: Signal | undefined;
}

/**
 * Ends when the file is complete; returns its size in bytes. The copy is deleted by then, also after a failure. There is no
 * way to stop an export, and deleting its sequence meanwhile is not safe: after a cancel this still ends only when
 * Premiere has finished, and then removes the file.
 */
export async function exportRendered(sources: RenderSources, request: RenderRequest): Promise<number> {
  const { surroundings, storage } = sources;
  const { snapshot, path } = request;
  const project = await openProject(surroundings, snapshot.projectId);
  const sequence = await findSequence(project, snapshot.sequenceId);
  if ((await findSnapshot(surroundings, sequence, snapshot)) === undefined) {
    throw new HostError('timeline-changed', 'The clip is not where it was selected.');
  }
  throwIfCanceled(request.signal);
  const plan = {
    projectId: snapshot.projectId,
    projectName: project.name,
    sequenceName: sequence.name,
    path,
  };
  await writePlan(storage, { ...plan, cloneId: null });
  const clone = await cloneSequence(project, sequence);
  try {
    await writePlan(storage, { ...plan, cloneId: clone.guid.toString() });
    await isolate(surroundings, project, clone, snapshot);
    throwIfCanceled(request.signal);
    const sizeBytes = await exportClone(sources, clone, request);
    throwIfCanceled(request.signal);
    return sizeBytes;
  } catch (error) {
    await removeFile(surroundings.fs, path).catch(() => undefined);
    throw error;
  } finally {
    await dropClone(sources, project, sequence, clone);
  }
}

/** An action does not return what it made: the copy is the sequence that was not there before. */
async function cloneSequence(project: Project, sequence: Sequence): Promise<Sequence> {
  const idsBefore = new Set((await project.getSequences()).map(({ guid }) => guid.toString()));
  runTransaction(project, 'Prepare TokenFlow export', 'export-refused', (add) => {
    add.must(() => sequence.createCloneAction());
  });
  const added = (await project.getSequences()).filter(({ guid }) => !idsBefore.has(guid.toString()));
  const [clone] = added;
  if (clone !== undefined && added.length === 1) return clone;
  throw new HostError('export-refused', `Copying ${sequence.name} made ${added.length} sequences.`);
}

async function isolate(
  surroundings: Surroundings,
  project: Project,
  clone: Sequence,
  snapshot: TimelineSnapshot,
): Promise<void> {
  const { ppro } = surroundings;
  const tracks = await readTracks(surroundings, clone);
  const others = tracks.flat().filter((clip) => spansOverlap(clip, snapshot) && !isSnapshot(clip, snapshot));
  const own = tracks.flat().find((clip) => isSnapshot(clip, snapshot));
  if (own === undefined) throw new HostError('export-refused', 'The copy lacks the clip.');
  const isOwnDisabled = await own.item.isDisabled();
  const sounds = await readSounds(surroundings, clone, snapshot);
  const cloneItem = await clone.getProjectItem();
  const start = ppro.TickTime.createWithTicks(snapshot.start);
  const end = ppro.TickTime.createWithTicks(snapshot.end);
  runTransaction(project, 'Isolate clip for TokenFlow', 'export-refused', (add) => {
    // The name first: by the name a later start recognises the copy.
    add.must(() => cloneItem.createSetNameAction(cloneName));
    add.must(() => clone.createSetInPointAction(start));
    add.must(() => clone.createSetOutPointAction(end));
    for (const { item } of others) add.must(() => item.createSetDisabledAction(true));
    if (isOwnDisabled) add.must(() => own.item.createSetDisabledAction(false));
    // The copy is silent, so that the sound does not play twice: the edit is placed above the original.
    for (const sound of sounds) add.must(() => sound.createSetDisabledAction(true));
  });
}

function isSnapshot(
  clip: { readonly trackIndex: number; readonly start: string; readonly end: string },
  snapshot: TimelineSnapshot,
): boolean {
  return clip.trackIndex === snapshot.trackIndex && clip.start === snapshot.start && clip.end === snapshot.end;
}

async function readSounds({ ppro }: Surroundings, clone: Sequence, snapshot: TimelineSnapshot) {
  const sounds = [];
  const count = await clone.getAudioTrackCount();
  for (let index = 0; index < count; index += 1) {
    const track = await clone.getAudioTrack(index);
    for (const item of track.getTrackItems(ppro.Constants.TrackItemType.CLIP, false)) {
      const span = {
        start: (await item.getStartTime()).ticks,
        end: (await item.getEndTime()).ticks,
      };
      if (spansOverlap(span, snapshot)) sounds.push(item);
    }
  }
  return sounds;
}

async function exportClone(
  { surroundings, hasExportEvents, log }: RenderSources,
  clone: Sequence,
  { path, preset, onProgress }: RenderRequest,
): Promise<number> {
  const { ppro } = surroundings;
  const watch = watchExport(surroundings, path, hasExportEvents);
  try {
    const started = ppro.EncoderManager.getManager().exportSequence(
      clone,
      ppro.Constants.ExportType.IMMEDIATELY,
      path,
      preset.path,
      false,
    );
    // Not awaited alone: whether it answers at once or at the end is not documented, and the answer may be wrong
    // either way. The file decides.
    started.then(
      (isAccepted) => {
        if (!isAccepted) log('exportSequence answered no; the file decides.');
      },
      (error: unknown) => log(`exportSequence: ${String(error)}; the file decides.`),
    );
    return await watch.finished(onProgress);
  } finally {
    watch.stop();
  }
}

/** Failures here are only logged: the export itself has its own outcome. */
async function dropClone(
  { storage, log }: RenderSources,
  project: Project,
  original: Sequence,
  clone: Sequence,
): Promise<void> {
  try {
    const cloneId = clone.guid.toString();
    const active = (await project.getActiveSequence()) as Sequence | null | undefined;
    if (active?.guid.toString() === cloneId) await project.setActiveSequence(original);
    await project.deleteSequence(clone);
    const left = (await project.getSequences()).some(({ guid }) => guid.toString() === cloneId);
    if (left) log(`The sequence "${cloneName}" was not deleted; the next start tries again.`);
    else await clearPlan(storage);
  } catch (error) {
    log(`The sequence "${cloneName}" was not deleted: ${String(error)}`);
  }
}
