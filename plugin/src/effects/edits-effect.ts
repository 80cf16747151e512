// The user's actions on existing edits: bring a version back, revert, show and hide, save, delete.

import { codecExtension } from '../../../protocol/codecs.ts';
import { EditError } from '../../../protocol/errors.ts';
import { createTurns } from '../../../protocol/turns.ts';
import { currentEdit, versionOf } from '../state/choices.ts';
import type { PanelEvent } from '../state/events.ts';
import type { ToastText } from '../state/panel-state.ts';
import type { PlacedEdit } from '../host/edits.ts';
import type { ClipSnapshot } from '../host/selection.ts';
import type { EffectDeps, StopEffect } from './deps.ts';
import { fetchInto } from './fetch-result.ts';
import { problemOf } from './problem-of.ts';
import type { SentClips } from './sent-clips.ts';

export function startEditsEffect(deps: EffectDeps, sentClips: SentClips): StopEffect {
  const { host, client, store } = deps;
  const { dispatch } = store;
  const turns = createTurns();

  /** One change at a time: each reads the timeline as the one before has left it. */
  function inTurn(work: () => Promise<void>): void {
    turns
      .take(work)
      .catch((error: unknown) => dispatch({ type: 'toast-raised', text: 'failed', problem: problemOf(error) }));
  }

  const change = (work: () => Promise<PlacedEdit>, text: ToastText | null): void =>
    inTurn(async () => {
      dispatch({ type: 'edit-changed', edit: await work() });
      await readShown();
      if (text !== null) dispatch({ type: 'toast-raised', text, problem: null });
    });

  async function readShown(): Promise<void> {
    const edit = currentEdit(store.state);
    const canShow = edit?.placed != null && host.abilities.timeline.isThere;
    const isShown = canShow ? await host.timeline.isShown(edit.editId) : null;
    dispatch({ type: 'shown-read', isShown });
  }

  async function save(editId: string, version: number): Promise<void> {
    const edit = store.state.edits.find((one) => one.editId === editId) ?? null;
    const found = versionOf(edit, version);
    if (edit === null || found === null || deps.saveResult === null) return;
    if (await deps.saveResult(found.resultId)) return;
    // The page was reloaded: the server still has the file.
    const { jobId, settings } = found.recipe;
    const file = await fetchInto(deps, {
      jobId,
      clipName: edit.originalName,
      extension: codecExtension(settings.codec),
      onProgress: () => undefined,
    });
    const { resultId } = await host.timeline.importResult(file);
    await deps.saveResult(resultId);
  }

  async function forget(editId: string, version: number): Promise<void> {
    const edit = store.state.edits.find((one) => one.editId === editId) ?? null;
    const jobId = versionOf(edit, version)?.recipe.jobId;
    const changed = await host.timeline.forgetVersion(editId, version);
    dispatch({ type: 'edit-changed', edit: changed });
    if (jobId !== undefined && client.link.name === 'online') await client.deleteJob(jobId);
    dispatch({ type: 'version-deleted' });
  }

  /** What is edited again must be selected; the server still has the clip that the page may have lost. */
  async function select(editId: string, version: number): Promise<void> {
    const edit = store.state.edits.find((one) => one.editId === editId) ?? null;
    const recipe = versionOf(edit, version)?.recipe;
    if (edit === null || recipe === undefined) return;
    const isOther = !store.state.selection?.clips.some(({ snapshot }) => isSameSource(snapshot, edit.original));
    let isSelected = !isOther;
    if (isOther) {
      if (edit.original.kind === 'file' && client.link.name === 'online') {
        const clipId = await clipOf(recipe.jobId);
        if (clipId !== null) sentClips.note(edit.original.fileId, clipId);
      }
      isSelected = await host.selection.select(edit.original);
    }
    dispatch({ type: 'toast-raised', text: isSelected ? 'recipe-loaded' : 'recipe-loaded-select', problem: null });
  }

  async function clipOf(jobId: string): Promise<string | null> {
    try {
      return (await client.job(jobId)).clipId;
    } catch (error) {
      // The job was deleted; the page may have the file.
      if (error instanceof EditError && error.code === 'job-missing') return null;
      throw error;
    }
  }

  function answer(event: PanelEvent): void {
    const { timeline } = host;
    switch (event.type) {
      case 'version-chosen':
        change(() => timeline.showVersion(event.editId, event.version), 'version-shown');
        break;
      case 'revert-pressed':
        change(() => timeline.revert(event.editId), 'reverted');
        break;
      case 'show-toggled':
        inTurn(async () => {
          await timeline.setShown(event.editId, !(await timeline.isShown(event.editId)));
          await readShown();
        });
        break;
      case 'original-pressed':
        inTurn(() => timeline.openOriginal(event.editId));
        break;
      case 'save-pressed':
        inTurn(() => save(event.editId, event.version));
        break;
      case 'forget-confirmed':
        inTurn(() => forget(event.editId, event.version));
        break;
      case 'edits-read':
      case 'edit-chosen':
      case 'compare-opened':
        inTurn(readShown);
        break;
      case 'rerun-pressed':
        inTurn(() => select(event.editId, event.version));
        break;
      default:
    }
  }
  return store.subscribe(answer);
}

/** Whether both show the same piece of the same media. */
function isSameSource(one: ClipSnapshot, other: ClipSnapshot): boolean {
  if (one.kind === 'file') {
    const isSameRange =
      other.kind === 'file' && one.startSeconds === other.startSeconds && one.endSeconds === other.endSeconds;
    return isSameRange && one.fileId === other.fileId;
  }
  return other.kind === 'timeline' && one.mediaPath === other.mediaPath && one.inPoint === other.inPoint;
}
