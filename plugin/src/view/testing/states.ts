// The states that people meet, by name, for pictures and for looking at them.

import { defaultSettings } from '../../../../protocol/edit-settings.ts';
import { makeModelInfo, practiceVocabulary } from '../../../../protocol/testing/models.ts';
import type { WireError } from '../../../../protocol/messages/wire-error.ts';
import type { PlacedEdit } from '../../host/edits.ts';
import type { SelectedClip, TimelineSnapshot } from '../../host/selection.ts';
import { initialState, type PanelState } from '../../state/panel-state.ts';
import type { ProblemCode } from '../../state/problem.ts';
import { presetOf } from '../../state/presets.ts';
import type { Task, TaskState } from '../../state/task.ts';
import { withComparison } from './compare-state.ts';
import { harbourUrl, summer, winter } from './drawn-frames.ts';
import { controlledModels, withLicence, withModels } from './models-state.ts';
import { overlayStates } from './overlay-states.ts';
import { withPreview } from './preview-state.ts';

const hex = (digit: string): string => digit.repeat(32);
const settings = {
  ...defaultSettings(),
  prompt: 'a watercolor painting of a red car in the city',
  sourcePrompt: 'a blue car in the city',
  seed: 1804289383,
};
const snapshot: TimelineSnapshot = {
  kind: 'timeline',
  projectId: 'p',
  sequenceId: 's',
  sequenceName: 'Teaser',
  trackIndex: 0,
  start: '0',
  end: '508032000000',
  inPoint: '0',
  outPoint: '508032000000',
  ticksPerFrame: '10160640000',
  itemId: 'i',
  mediaPath: '/A001_C004.mov',
  speed: 1,
  isReversed: false,
};
const clip: SelectedClip = {
  key: 'k1',
  name: 'A001_C004_harbour.mov',
  snapshot,
  frames: 50,
  warnings: [],
  edit: null,
  frameRate: { numerator: 25, denominator: 1 },
  size: { width: 1920, height: 1080 },
  modes: ['rendered', 'source'],
  freeTrackIndex: 1,
};
const recipe = { jobId: hex('a'), settings, model: 'demo', createdAt: '2026-11-22T19:20:08Z' };
const edit: PlacedEdit = {
  editId: 'e1',
  original: snapshot,
  originalName: 'A001_C004_harbour.mov',
  placed: 2,
  place: { sequenceId: 's', trackIndex: 1, start: '0', end: '508032000000' },
  versions: [
    {
      version: 1,
      recipe: {
        ...recipe,
        jobId: hex('b'),
        settings: { ...settings, prompt: 'a yellow car in the city', strength: 0.3, seed: 7 },
      },
      resultId: 'r1',
      path: '/r1.mov',
    },
    { version: 2, recipe, resultId: 'r2', path: '/r2.mov' },
  ],
};
const server = {
  version: '0.1.0',
  device: 'cuda',
  models: [
    makeModelInfo({
      id: 'sd15',
      title: 'Stable Diffusion 1.5',
      goodFor: 'Real footage of any kind, 512 pixels.',
      source: 'downloaded',
    }),
    makeModelInfo({
      id: 'demo',
      title: 'Demo world',
      goodFor: 'A toy world of coloured objects, to see that everything works.',
      sizeBytes: 33_000_000,
      vocabulary: practiceVocabulary,
    }),
  ],
} as const;

function base(kind: 'premiere' | 'browser'): PanelState {
  const facts = {
    kind,
    product: kind === 'premiere' ? 'Adobe Premiere 26.3.0' : 'Chrome',
    logFolder: null,
  };
  const abilities = kind === 'premiere' ? (['timeline', 'source-monitor'] as const) : [];
  const state = initialState({ ...facts, abilities }, 'dark', kind === 'premiere' ? 'prores' : 'h264');
  return {
    ...state,
    link: { name: 'online', server },
    selection: {
      project: { id: 'p', name: 'Harbour' },
      sequence: { id: 's', name: 'Teaser' },
      clips: [clip],
      rejected: [],
      empty: null,
    },
    estimate: { name: 'guess', seconds: 194 },
    history: [
      { prompt: 'a wooden toy boat', sourcePrompt: '', negativePrompt: '' },
      {
        prompt: 'an oil painting of a harbour at dusk',
        sourcePrompt: 'a harbour',
        negativePrompt: '',
      },
    ],
    form: {
      ...state.form,
      prompt: 'a harbour in deep winter, snow on the boats',
      sourcePrompt: 'a harbour in summer',
    },
  };
}

const task = (key: string, state: TaskState, more: Partial<Task> = {}): Task => ({
  key,
  projectId: 'p',
  clipName: clip.name,
  snapshot,
  frames: 50,
  mode: 'rendered',
  settings,
  model: 'demo',
  editId: null,
  createdAt: recipe.createdAt,
  clipId: hex('c'),
  jobId: hex('a'),
  media: null,
  report: null,
  isCanceling: false,
  asked: null,
  state,
  ...more,
});
const failed = (key: string, code: ProblemCode, message: string): Task =>
  task(key, { name: 'failed', problem: { code, message } });
const wire = (code: WireError['code'], message: string): WireError => ({ code, message });

/** A prediction early in an edit: pale, between the clip and what it becomes. */
const soFar = { sky: 0xb4c8e0, sea: 0x6f8ba6, boat: 0xdab4ac, sun: 0xf4f6fb };

/** Play in the middle of the clip, in a part of the picture. */
function playing(state: PanelState): PanelState {
  const { compare } = state;
  if (compare === null) return state;
  const zoom = { scale: 1.5, left: -0.25, top: -0.3 };
  return { ...state, compare: { ...compare, isPlaying: true, zoom, motion: compare.pictures } };
}

const premiere = base('premiere');
const web = base('browser');
const nothingSelected = { project: null, sequence: null, clips: [], rejected: [], empty: 'nothing-selected' } as const;
/** As it is after the installation. */
const practiceOnly = { ...server, device: 'cpu', models: server.models.filter(({ id }) => id === 'demo') } as const;
const webEmpty: PanelState = {
  ...web,
  selection: nothingSelected,
  estimate: { name: 'none' },
  history: [],
  form: { ...web.form, prompt: '', sourcePrompt: '', model: 'demo' },
};
const running: TaskState = {
  name: 'running',
  isStarting: false,
  progress: {
    stage: 'edit',
    step: 21,
    steps: 50,
    progress: 0.58,
    etaSeconds: 82,
    reconstructionPsnr: 38,
  },
};

export const states: Readonly<Record<string, PanelState>> = {
  connecting: { ...premiere, link: { name: 'connecting' } },
  unreachable: { ...premiere, link: { name: 'unreachable', attempts: 3 } },
  unpaired: { ...premiere, link: { name: 'unpaired', isBusy: false, problem: null } },
  'unpaired-refused': {
    ...premiere,
    link: {
      name: 'unpaired',
      isBusy: false,
      problem: wire('pairing-refused', 'Not the open code.'),
    },
  },
  mismatch: {
    ...premiere,
    link: {
      name: 'mismatch',
      problem: wire('version-mismatch', 'The server speaks protocol 2, the panel 1.'),
    },
  },
  lost: { ...premiere, link: { name: 'lost', server, attempts: 2 }, tasks: [task('t', running)] },
  'start-failed': { ...premiere, link: { name: 'lost', server, attempts: 9 }, start: 'failed' },
  'no-model': { ...premiere, link: { name: 'online', server: { ...server, models: [] } } },
  edit: premiere,
  'edit-advanced': {
    ...premiere,
    isAdvancedOpen: true,
    presets: [...premiere.presets, presetOf(premiere.form, 'own-1', 'Winter harbour')],
  },
  'edit-demo': {
    ...premiere,
    form: {
      ...premiere.form,
      model: 'demo',
      prompt: 'a red car in the city with a wolf',
      sourcePrompt: '',
    },
  },
  'edit-rejected': {
    ...premiere,
    selection: {
      project: { id: 'p', name: 'Harbour' },
      sequence: { id: 's', name: 'Teaser' },
      clips: [{ ...clip, warnings: ['speed', 'rate-differs'] }],
      rejected: [
        { name: 'Title 01', reason: 'no-media' },
        { name: 'Grade', reason: 'adjustment-layer' },
      ],
      empty: null,
    },
  },
  'edit-empty': {
    ...premiere,
    selection: {
      project: null,
      sequence: null,
      clips: [],
      rejected: [],
      empty: 'nothing-selected',
    },
  },
  'too-long': {
    ...premiere,
    selection: {
      ...premiere.selection,
      clips: [{ ...clip, frames: 4200 }],
    } as PanelState['selection'],
    estimate: {
      name: 'known',
      previewSeconds: null,
      estimate: {
        frames: 4200,
        unetEvaluations: 9e5,
        seconds: 40_000,
        peakMemoryBytes: 31e9,
        diskBytes: 5e9,
        fits: false,
        advice: 'This needs 31 GB of memory and 24 GB are there: edit at most 2,900 frames at once.',
      },
    },
  },
  tasks: {
    ...premiere,
    growing: { [hex('d')]: harbourUrl(3, soFar) },
    thumbnails: { [hex('a')]: harbourUrl(3, winter) },
    tasks: [
      task('t1', { name: 'exporting', progress: null }, { jobId: null }),
      task('t2', { name: 'queued', position: 1 }, { jobId: hex('e') }),
      task('t3', running, { jobId: hex('d') }),
      task('t4', { name: 'paused', progress: running.progress, problem: null }, { jobId: hex('f') }),
      task('t5', { name: 'done', editId: 'e1', version: 2 }),
    ],
  },
  preview: withPreview(premiere, task('p1', { name: 'previewed' })),
  'preview-outdated': {
    ...withPreview(premiere, task('p1', { name: 'previewed' })),
    form: { ...premiere.form, prompt: 'a harbour under a red sun' },
  },
  failures: {
    ...premiere,
    tasks: [
      failed('f1', 'out-of-memory', 'CUDA out of memory: tried to allocate 2.1 GB.'),
      failed('f2', 'disk-full', 'ENOSPC: no space left on device, write'),
      failed('f3', 'engine-crashed', 'The engine process ended by SIGKILL.'),
      task('f4', {
        name: 'unplaced',
        problem: { code: 'timeline-changed', message: 'The clip has moved.' },
      }),
    ],
  },
  'compare-wipe': withComparison(premiere, edit, 'wipe'),
  'compare-difference': withComparison(premiere, edit, 'difference'),
  'compare-side': withComparison(premiere, edit, 'side'),
  'compare-empty': { ...premiere, page: 'compare' },
  loras: {
    ...premiere,
    loras: [
      { name: 'watercolour', title: 'Watercolour wash', family: 'Stable Diffusion 1.x' },
      { name: 'film-grain', title: 'Film grain', family: 'Stable Diffusion 1.x' },
      { name: 'detail', title: 'More detail', family: 'Stable Diffusion XL' },
    ],
    form: {
      ...premiere.form,
      loras: [
        { name: 'watercolour', strength: 0.8 },
        { name: 'old-look', strength: -0.5 },
      ],
    },
  },
  controls: {
    ...premiere,
    isAdvancedOpen: true,
    models: controlledModels,
    controlPictures: { canny: harbourUrl(3, winter) },
    form: {
      ...premiere.form,
      controls: [
        { kind: 'canny', scale: 0.8, start: 0, end: 0.75, guess: false },
        { kind: 'tile', net: 'tile-xl', scale: 1, start: 0, end: 1, guess: true },
      ],
    },
  },
  versions: {
    ...premiere,
    page: 'versions',
    edits: [edit],
    editId: 'e1',
    isShown: true,
    storage: { clipsBytes: 812e6, resultsBytes: 96e6, cacheBytes: 5.2e9, freeBytes: 214e9 },
    thumbnails: { [hex('a')]: harbourUrl(3, winter), [hex('b')]: harbourUrl(3, summer) },
  },
  'compare-playing': playing(withComparison(premiere, edit, 'wipe')),
  ...overlayStates(premiere, edit),
  'model-list': withModels(premiere, 'models'),
  'lora-list': withModels(premiere, 'loras'),
  'model-get': withModels(premiere, 'get'),
  licence: withLicence(premiere),
  practice: {
    ...premiere,
    link: { name: 'online', server: practiceOnly },
    estimate: { name: 'none' },
    form: { ...premiere.form, prompt: 'a shiny silver robotic wolf', sourcePrompt: '' },
    practice: { held: 'apply', accepted: null },
  },
  'first-use': {
    ...premiere,
    link: { name: 'online', server: practiceOnly },
    selection: nothingSelected,
    estimate: { name: 'none' },
    history: [],
    form: { ...premiere.form, prompt: '', sourcePrompt: '' },
  },
  'web-done': {
    ...withComparison(web, edit, 'wipe'),
    page: 'edit',
    notifications: 'unasked',
    thumbnails: { [hex('a')]: harbourUrl(3, winter) },
    growing: { [hex('d')]: harbourUrl(3, soFar) },
    tasks: [task('t3', running, { jobId: hex('d') }), task('t5', { name: 'done', editId: 'e1', version: 2 })],
  },
  'web-first-use': { ...webEmpty, link: { name: 'online', server: practiceOnly } },
  'web-model-get': withModels(web, 'get'),
  'web-empty': webEmpty,
};
