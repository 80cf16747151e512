// The comparison: what is shown of which frame, and the pictures that have come.

import { panBy, pictureKey, wholePicture, zoomAt, type Compared, type CompareState } from '../compare.ts';
import type { PanelEvent } from '../events.ts';
import type { PanelState } from '../panel-state.ts';
import { previewed } from '../preview.ts';

export function reduceCompare(state: PanelState, event: PanelEvent): PanelState {
  if (event.type === 'compare-opened') {
    const { editId, version } = event;
    const compare = openCompare({ kind: 'version', editId, version }, state);
    return { ...state, page: 'compare', editId, compare };
  }
  if (event.type === 'preview-frame-chosen') return openPreviewFrame(state, event.index);
  const { compare } = state;
  if (compare === null) return state;
  if (compare.about.kind === 'preview' && compare.about.key !== state.previewStrip?.key) {
    return { ...state, compare: null };
  }
  const next = reduceOpen(compare, event);
  return next === compare ? state : { ...state, compare: next };
}

function openCompare(about: Compared, { compare }: Pick<PanelState, 'compare'>): CompareState {
  const earlier = compare?.mode ?? 'wipe';
  const mode = earlier === 'flicker' && about.kind === 'preview' ? 'wipe' : earlier;
  return {
    about,
    mode,
    subject: null,
    shown: 'edit',
    frameIndex: 0,
    isPlaying: false,
    isLooping: compare?.isLooping ?? true,
    zoom: wholePicture,
    divider: 0.5,
    pictures: {},
    motion: {},
    videos: {},
    problem: null,
  };
}

/** A comparison that is open at the preview goes to the frame; another one is opened. */
function openPreviewFrame(state: PanelState, index: number): PanelState {
  const task = previewed(state);
  if (task?.jobId == null) return state;
  const { key, jobId } = task;
  const { compare } = state;
  const isOpen = compare?.about.kind === 'preview' && compare.about.key === key;
  const opened = isOpen ? compare : openCompare({ kind: 'preview', key, jobId }, state);
  const frames = task.report?.frames ?? 1;
  const frameIndex = Math.min(Math.max(0, index), frames - 1);
  return { ...state, page: 'compare', compare: { ...opened, frameIndex, isPlaying: false } };
}

function reduceOpen(compare: CompareState, event: PanelEvent): CompareState {
  switch (event.type) {
    case 'compare-found':
      return { ...compare, subject: event.subject, problem: null };
    case 'compare-failed':
      return { ...compare, problem: event.problem, isPlaying: false };
    case 'compare-mode-chosen':
      return { ...compare, mode: event.mode };
    case 'compare-flipped':
      return { ...compare, shown: compare.shown === 'edit' ? 'original' : 'edit', mode: 'flip' };
    case 'divider-moved':
      return { ...compare, divider: Math.min(1, Math.max(0, event.divider)) };
    case 'frame-chosen':
      return { ...compare, frameIndex: within(compare, event.frameIndex), isPlaying: false };
    case 'play-toggled': {
      const last = (compare.subject?.frames ?? 0) - 1;
      const isPlaying = !compare.isPlaying && last > 0;
      // At the end play begins anew.
      const frameIndex = isPlaying && compare.frameIndex === last ? 0 : compare.frameIndex;
      return { ...compare, isPlaying, frameIndex };
    }
    case 'page-chosen':
      return event.page === 'compare' ? compare : { ...compare, isPlaying: false };
    case 'loop-toggled':
      return { ...compare, isLooping: !compare.isLooping };
    case 'zoomed':
      return { ...compare, zoom: zoomAt(compare.zoom, event.factor, event.x, event.y) };
    case 'panned':
      return { ...compare, zoom: panBy(compare.zoom, event.dx, event.dy) };
    case 'zoom-ended':
      return { ...compare, zoom: wholePicture };
    case 'played-to':
      return compare.isPlaying ? { ...compare, frameIndex: within(compare, event.frameIndex) } : compare;
    case 'play-ended':
      return { ...compare, isPlaying: false };
    case 'picture-changed': {
      const key = pictureKey(event.side, event.frameIndex);
      return { ...compare, pictures: { ...compare.pictures, [key]: event.picture } };
    }
    case 'pictures-dropped': {
      const kept = Object.entries(compare.pictures).filter(([key]) => !event.keys.includes(key));
      return { ...compare, pictures: Object.fromEntries(kept) };
    }
    case 'motion-changed': {
      const come = Object.entries(event.pictures).map(
        ([index, picture]) => [pictureKey(event.side, Number(index)), picture] as const,
      );
      return { ...compare, motion: { ...compare.motion, ...Object.fromEntries(come) } };
    }
    case 'motion-dropped': {
      const kept = Object.entries(compare.motion).filter(([key]) => !event.keys.includes(key));
      return { ...compare, motion: Object.fromEntries(kept) };
    }
    case 'video-changed':
      return { ...compare, videos: { ...compare.videos, [event.side]: event.video } };
    default:
      return compare;
  }
}

function within({ subject }: CompareState, frameIndex: number): number {
  return Math.min(Math.max(0, (subject?.frames ?? 1) - 1), Math.max(0, Math.round(frameIndex)));
}
