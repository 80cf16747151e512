// The next state. Pure, and defined for every event: an event that does not fit changes nothing.

import { reduceCompare } from './reduce-compare.ts';
import { reduceModels } from './reduce-models.ts';
import { reducePreviewStrip } from './reduce-preview-strip.ts';
import { reduceForm } from './reduce-form.ts';
import { reduceRegion } from './reduce-region.ts';
import { reducePractice } from './reduce-practice.ts';
import { reduceTasks } from './reduce-tasks.ts';
import type { PlacedEdit } from '../../host/edits.ts';
import type { PanelEvent } from '../events.ts';
import { sourceIdOf } from '../choices.ts';
import type { Overlay, PanelState, Toast } from '../panel-state.ts';

export function reduce(state: PanelState, event: PanelEvent): PanelState {
  const parts = [
    reducePanel,
    reduceForm,
    reducePractice,
    reduceTasks,
    reduceEdits,
    reducePreviewStrip,
    reduceCompare,
    reduceOverlay,
    reduceModels,
  ];
  return reduceRegion(
    parts.reduce((next, part) => part(next, event), state),
    event,
    state,
  );
}

function reducePanel(state: PanelState, event: PanelEvent): PanelState {
  switch (event.type) {
    case 'page-chosen':
      return { ...state, page: event.page };
    case 'link-changed':
      return { ...state, link: event.link, start: isAway(event.link) ? state.start : 'idle' };
    case 'start-pressed':
      return { ...state, start: 'starting' };
    case 'start-failed':
      return { ...state, start: state.start === 'starting' ? 'failed' : state.start };
    case 'commands-toggled':
      return { ...state, areCommandsOpen: !state.areCommandsOpen };
    case 'models-read':
      return { ...state, models: event.lists };
    case 'theme-changed':
      return { ...state, theme: event.theme };
    case 'selection-reading':
      return { ...state, isReadingSelection: true };
    case 'selection-read':
      return readSelection({ ...state, isReadingSelection: false, selection: event.selection });
    case 'export-mode-chosen':
      return { ...state, exportMode: event.mode };
    case 'prepare-progress': {
      const { sourceId, sentBytes, sizeBytes } = event;
      const before = state.prepared?.sourceId === sourceId ? state.prepared : null;
      const clip = before?.clip ?? null;
      return { ...state, prepared: { sourceId, sentBytes, sizeBytes, clip, problem: null } };
    }
    case 'prepare-done': {
      const { clipId, sha256, media, sourceId } = event;
      if (state.prepared?.sourceId !== sourceId) return state;
      const prepared = { ...state.prepared, clip: { clipId, sha256, media }, problem: null };
      return { ...state, prepared: { ...prepared, sentBytes: prepared.sizeBytes } };
    }
    case 'prepare-failed':
      if (state.prepared !== null && state.prepared.sourceId !== event.sourceId) return state;
      return {
        ...state,
        prepared: {
          ...(state.prepared ?? { sentBytes: 0, sizeBytes: 0, clip: null }),
          sourceId: event.sourceId,
          problem: event.problem,
        },
      };
    case 'estimate-asked':
      return { ...state, estimate: { name: 'asking' } };
    case 'estimate-known': {
      const { estimate, previewSeconds } = event;
      return { ...state, estimate: { name: 'known', estimate, previewSeconds } };
    }
    case 'estimate-guessed':
      return { ...state, estimate: { name: 'guess', seconds: event.seconds } };
    case 'estimate-failed':
      return { ...state, estimate: { name: 'failed', problem: event.problem } };
    case 'estimate-none':
      return { ...state, estimate: { name: 'none' } };
    case 'job-pictured':
      return { ...state, growing: withUrl(state.growing, event) };
    case 'thumbnail-changed':
      return { ...state, thumbnails: withUrl(state.thumbnails, event) };
    case 'notifications-answered':
      return { ...state, notifications: event.notifications };
    case 'throughput-measured':
      return { ...state, throughputs: { ...state.throughputs, [event.key]: event.throughput } };
    default:
      return state;
  }
}

/** Whether no server answers. */
function isAway({ name }: PanelState['link']): boolean {
  return name === 'unreachable' || name === 'lost' || name === 'connecting';
}

function withUrl(
  urls: Readonly<Record<string, string>>,
  { jobId, url }: { readonly jobId: string; readonly url: string | null },
): Readonly<Record<string, string>> {
  if (url !== null) return { ...urls, [jobId]: url };
  return Object.fromEntries(Object.entries(urls).filter(([other]) => other !== jobId));
}

/** A sent clip is useless for another file. A selected result becomes the current edit. */
function readSelection(state: PanelState): PanelState {
  const clips = state.selection?.clips ?? [];
  const sourceIds = clips.map(sourceIdOf);
  const isUseful = state.prepared !== null && sourceIds.includes(state.prepared.sourceId);
  const selectedEdit = clips.find((clip) => clip.edit !== null)?.edit?.editId;
  return {
    ...state,
    prepared: isUseful ? state.prepared : null,
    editId: selectedEdit ?? state.editId,
  };
}

function reduceEdits(state: PanelState, event: PanelEvent): PanelState {
  switch (event.type) {
    case 'edits-read': {
      const isKnown = event.edits.some(({ editId }) => editId === state.editId);
      const last = event.edits.at(-1)?.editId ?? null;
      return { ...state, edits: event.edits, editId: isKnown ? state.editId : last };
    }
    case 'edit-changed': {
      const others = state.edits.filter(({ editId }) => editId !== event.edit.editId);
      const compare = isCompared(state, event.edit) ? state.compare : null;
      // The last version was deleted.
      if (event.edit.versions.length === 0) {
        return { ...state, compare, edits: others, editId: others.at(-1)?.editId ?? null };
      }
      return { ...state, compare, edits: [...others, event.edit], editId: event.edit.editId };
    }
    case 'edit-chosen':
      return { ...state, editId: event.editId, isShown: null };
    case 'storage-read':
      return { ...state, storage: event.storage };
    case 'shown-read':
      return { ...state, isShown: event.isShown };
    default:
      return state;
  }
}

/** Whether the comparison is of something that is still there. */
function isCompared({ compare }: PanelState, edit: PlacedEdit): boolean {
  if (compare?.about.kind !== 'version' || compare.about.editId !== edit.editId) return true;
  const { version } = compare.about;
  return edit.versions.some((one) => one.version === version);
}

function changeModelList(
  state: PanelState,
  change: Partial<Extract<Overlay, { readonly name: 'models' }>>,
): PanelState {
  return state.overlay?.name === 'models' ? { ...state, overlay: { ...state.overlay, ...change } } : state;
}

const maxToasts = 3;

function reduceOverlay(state: PanelState, event: PanelEvent): PanelState {
  switch (event.type) {
    case 'overlay-opened':
      return { ...state, overlay: event.overlay };
    case 'overlay-closed':
    case 'forget-confirmed':
    case 'unpair-confirmed':
    case 'rerun-pressed':
      return { ...state, overlay: null };
    case 'preset-saved':
      return { ...state, overlay: null };
    case 'diagnosed':
      if (state.overlay?.name !== 'diagnostics') return state;
      return { ...state, overlay: { name: 'diagnostics', checks: event.checks, problem: null } };
    case 'diagnosis-failed':
      if (state.overlay?.name !== 'diagnostics') return state;
      return { ...state, overlay: { name: 'diagnostics', checks: null, problem: event.problem } };
    case 'model-list-chosen':
      return changeModelList(state, { kind: event.kind, filter: '' });
    case 'model-list-filtered':
      return changeModelList(state, { filter: event.filter });
    case 'models-read':
      return changeModelList(state, { isLooking: false, problem: null });
    case 'models-failed':
      return changeModelList(state, { isLooking: false, problem: event.problem });
    case 'toast-raised': {
      const id = (state.toasts.at(-1)?.id ?? 0) + 1;
      const toast: Toast = { id, text: event.text, problem: event.problem };
      return { ...state, toasts: [...state.toasts, toast].slice(-maxToasts) };
    }
    case 'toast-closed':
      return { ...state, toasts: state.toasts.filter(({ id }) => id !== event.id) };
    default:
      return state;
  }
}
