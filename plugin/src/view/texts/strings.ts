// Every sentence of the panel. Another language is another object of the same type, chosen in `textsFor`; nothing outside
// this file puts words together.

import type { ProblemCode } from '../../state/problem.ts';
import type { ApplyBlock } from '../../state/choices.ts';
import type { DownloadState, OfferKind } from '../../../../protocol/model-offers.ts';
import type { ModelSource } from '../../../../protocol/model-info.ts';
import type { ListKind } from '../../state/model-list.ts';
import type { PanelPipeline, StrengthStop } from '../../state/form.ts';
import type { RegionKind, RegionTool } from '../../state/region.ts';
import type { CompareMode } from '../../state/compare.ts';
import type { Page, ToastText } from '../../state/panel-state.ts';
import type { ClipWarning, EmptyReason, ExportMode, RejectionReason } from '../../host/selection.ts';
import type { EditStage } from '../../../../protocol/progress.ts';
import type { GuidanceBase } from '../../../../protocol/edit-settings.ts';
import { problemTexts, type ProblemText } from './problem-strings.ts';
import { isInstalledProgram, typedCommand } from './typed-command.ts';

const count = (amount: number, one: string, many: string): string => `${amount} ${amount === 1 ? one : many}`;

export const english = {
  product: 'TokenFlow',
  tagline: 'Say what a clip should become.',
  pageNames: 'Pages',
  pages: { edit: 'Edit', compare: 'Compare', versions: 'Versions' } satisfies Record<Page, string>,

  link: {
    connecting: 'Looking for TokenFlow (the background app)...',
    unreachableTitle: 'TokenFlow (the background app) is not running',
    unreachableText: 'It does the computing, on this machine. The panel connects by itself as soon as it runs.',
    start: 'Start TokenFlow',
    starting: 'Starting...',
    startFailed:
      'It did not start. If it is installed, start it from the folder that you unpacked: a double-click on TokenFlow.',
    experts: 'For experts',
    startCommandText: isInstalledProgram ? 'From a terminal:' : 'From a terminal, in a copy of the source code:',
    startCommand: typedCommand('start'),
    retry: 'Try now',
    copy: 'Copy',
    unpairedTitle: 'Pair with TokenFlow (the background app)',
    unpairedText: 'Type the code that the background app shows. You do this once.',
    unpairedInPremiere:
      'The panel usually pairs by itself with the background app of this machine. It cannot when the app runs as another user or keeps its files in another folder. Type the code that the app shows. You do this once.',
    codeLabel: 'Pairing code',
    codePlaceholder: 'ABCD-2345',
    pair: 'Pair',
    pairing: 'Pairing...',
    codeHelp: 'No code any more? It lasts ten minutes. From a terminal, this makes a new one:',
    pairCommand: typedCommand('pair'),
    mismatchTitle: 'The panel and the background app do not fit together',
    mismatchText:
      'Their versions speak different protocols. Update both from the same release, then restart the background app.',
    lost: 'Connection lost. Edits go on by themselves; reconnecting...',
    stopped: 'TokenFlow (the background app) has stopped. Edits go on where they were as soon as it runs again.',
    online: 'Connected',
    noModelTitle: 'No model is installed',
    noModelText: 'An edit needs a model. Download one, once.',
  },

  clip: {
    title: 'Clip',
    refresh: 'Refresh',
    empty: {
      'no-project': 'Open a project to begin.',
      'no-sequence': 'Open a sequence, then select a clip in it.',
      'nothing-selected': 'Select a clip in the timeline.',
    } satisfies Record<EmptyReason, string>,
    reading: 'Reading the selection...',
    rejected: {
      'audio-only': 'only sound',
      'adjustment-layer': 'an adjustment layer has no picture of its own',
      offline: 'its media is offline',
      'no-media': 'a title or graphic; nest it to edit it',
      'no-project-item': 'it has no item in the project',
      transition: 'a transition',
      'off-frame': 'its ends are not on frames; trim it by a frame',
      'too-short': 'too short: it needs two frames or more',
      'no-free-track': 'no free video track above it; add one',
      unreadable: 'Premiere gave no answer about it',
    } satisfies Record<RejectionReason, string>,
    warnings: {
      nested: 'Nested sequence: edited as it looks.',
      multicam: 'Multicam: the shown angle is edited.',
      merged: 'Merged clip: its picture is edited.',
      reversed: 'Reversed: edited as it plays.',
      speed: 'Changed speed: edited as it plays.',
      proxy: 'Full-size media is used, not the proxy.',
      'rate-differs': 'The clip has another frame rate than the sequence.',
      disabled: 'The clip is disabled on the timeline.',
    } satisfies Record<ClipWarning, string>,
    modes: { rendered: 'With effects', source: 'Source only' } satisfies Record<ExportMode, string>,
    modeLabel: 'Edit the clip',
    willPlace: (track: number) => `The result goes on V${track + 1}; one undo takes it back.`,
    several: (clips: number) => `${clips} clips, one edit each`,
    frames: (frames: number) => count(frames, 'frame', 'frames'),
    rate: (framesPerSecond: string) => `${framesPerSecond} fps`,
    dropTitle: 'Drop a video here',
    dropText: 'or',
    pick: 'Choose a file',
    dropNote: 'It stays on this machine.',
    other: 'Another file',
    sending: 'Reading the clip...',
    setIn: 'Set in',
    setOut: 'Set out',
    whole: 'Whole clip',
    range: (from: string, to: string) => `${from} to ${to}`,
    play: 'Play',
    pause: 'Pause',
    position: 'Position in the clip',
    onServer: 'TokenFlow still has this clip. To play it here, choose the file again.',
    unplayable: 'This browser cannot play the file. It can be edited all the same.',
    revise: 'This is an edit. What you apply becomes a new version of it.',
    whatMade: 'What made this?',
  },

  prompt: {
    title: 'What should it become?',
    placeholder: 'a shiny silver robotic wolf',
    source: 'What is in the clip now?',
    sourceNote: 'Optional; helps to keep what you do not mention.',
    sourcePlaceholder: 'a wolf',
    negative: 'What to avoid',
    negativePlaceholder: 'blurry, text',
    history: 'Recent',
    suggestions: 'This practice model knows these words',
    unknown: (words: string) => `This practice model does not know: ${words}`,
    working: 'Edits of this sample that work',
    rerun: 'The next edit becomes a new version.',
    rerunDrop: 'Make it a new edit',
    clear: 'Clear',
  },

  region: {
    title: 'What may change',
    kinds: { whole: 'Everything', drawn: 'A region', words: 'By words' } satisfies Record<RegionKind, string>,
    made: (words: string | null) => (words === null ? 'A region' : `What "${words}" names`),
    tool: 'Draw',
    tools: {
      rectangle: 'Rectangle',
      ellipse: 'Ellipse',
      polygon: 'Polygon',
      brush: 'Brush',
    } satisfies Record<RegionTool, string>,
    erase: 'Erase',
    undo: 'Undo',
    clear: 'Clear all',
    close: 'Close the polygon',
    invert: 'Invert',
    follows: 'Follows what it covers',
    asAlpha: 'Layer with alpha',
    asAlphaHint: 'Only the region lies above the clip; the clip itself shows around it. The file is ProRes 4444.',
    feather: 'Feather, pixels',
    still: 'A frame of the clip, to draw on',
    frame: 'Frame to draw on',
    frameOf: (frame: number, frames: number) => `${frame} of ${frames}`,
    byKeys: 'Set a point',
    place: (x: number, y: number) => `Arrow keys move the cross: ${x} % across, ${y} % down.`,
    drawnHint: 'Where it slips in a later frame, draw it there as well.',
    getStill: 'Get a frame of the clip',
    getStillHint: 'The clip is exported for this.',
    fetching: 'Fetching a frame...',
    noClip: 'Select a clip to draw on.',
    noStill: 'There is no frame to draw on.',
    words: 'Words for what may change',
    wordsPlaceholder: 'the wolf',
    wordsHint: 'As you wrote it under "What is in the clip now?".',
    notInSource: 'These words are not under "What is in the clip now?". Write them there as well.',
  },

  practice: {
    title: (model: string) => `${model} is a practice model`,
    clip: 'It only knows its own small drawn world. Your clip will not survive: it comes out as simple drawn shapes.',
    words: (words: string) => `It has never seen these words, and draws something else for them: ${words}`,
    use: (model: string) => `Use ${model}`,
    get: 'Get a model',
    sample: 'Use a sample clip',
    anyway: 'Try anyway',
  },

  firstUse: {
    title: 'Begin here',
    text: 'TokenFlow comes with a practice model that knows a small drawn world. For your own footage it needs a larger model, once.',
    get: 'Get a model for real footage',
    sample: 'Try with a sample clip',
  },

  strength: {
    keep: 'Keep structure',
    follow: 'Follow prompt',
    label: 'From keeping the structure to following the prompt',
    stops: {
      hold: 'Hold',
      keep: 'Keep',
      balance: 'Blend',
      follow: 'Follow',
      free: 'Loose',
    } satisfies Record<StrengthStop, string>,
    hints: {
      hold: 'Colours and light change; shapes stay.',
      keep: 'Surfaces change; shapes and layout stay.',
      balance: 'Follows the prompt where the shapes allow it.',
      follow: 'Shapes may change; the motion stays.',
      free: 'The prompt rules; little but the motion stays.',
    } satisfies Record<StrengthStop, string>,
  },

  presets: {
    title: 'Preset',
    names: {
      recolour: 'Recolour',
      restyle: 'Restyle',
      transform: 'Transform',
      draft: 'Quick draft',
      careful: 'Careful',
    } as Readonly<Record<string, string>>,
    save: 'Save',
    saveTitle: 'Save as a preset',
    name: 'Name',
    namePlaceholder: 'My look',
    remove: 'Remove',
    import: 'Import',
    export: 'Export',
  },

  advanced: {
    title: 'Advanced',
    technique: 'Technique',
    pipeline: 'Quality',
    pipelines: { fast: 'Full', draft: 'Draft' } satisfies Record<PanelPipeline, string>,
    steps: 'Steps',
    guideBy: 'Guide by',
    guideBys: { auto: 'Auto', negative: 'What to avoid', source: 'What changes', both: 'Both' } satisfies Record<
      GuidanceBase | 'auto',
      string
    >,
    guideByHint:
      'What changes: from what the clip shows now to your description, so the rest stays. It needs both texts. What to avoid: away from that text, and stronger overall.',
    guidance: 'Guidance',
    auto: 'auto',
    keyframes: 'Reference frame every',
    seed: 'Seed',
    lock: 'Lock',
    locked: 'Locked',
    lockHint: 'A locked seed is used again; otherwise each edit draws another.',
    dice: 'New seed',
    codec: 'File',
    written: 'In the file',
    writesPrompt: 'Description',
    writesPromptHint: 'Writes what you typed into the file, beside the mark that it was edited by AI.',
    keepsLocation: 'Place',
    keepsLocationHint: 'Keeps where the clip was recorded, if the clip says so.',
  },

  model: {
    title: 'Model',
    all: 'All models',
    downloading: (title: string, percent: number) => `Downloading ${title}: ${percent} %`,
  },

  modelList: {
    title: 'Models',
    kinds: { models: 'On this machine', loras: 'LoRAs', get: 'Get more' } satisfies Record<ListKind, string>,
    search: 'Search',
    looking: 'The background app looks at the folders of models...',
    use: 'Use',
    inUse: 'in use',
    unusable: 'not usable',
    sources: {
      embedded: 'Comes with TokenFlow',
      downloaded: 'Downloaded',
      added: 'Added',
      hub: 'Hugging Face cache',
      comfyui: 'ComfyUI',
      automatic1111: 'AUTOMATIC1111 / Forge',
      invokeai: 'InvokeAI',
      diffusionbee: 'DiffusionBee',
      'draw-things': 'Draw Things',
      folder: 'Your folders',
    } satisfies Record<ModelSource, string>,
    empty: {
      models: 'No model was found.',
      loras: 'No LoRA was found. They are looked for in the folders of ComfyUI, AUTOMATIC1111 and others.',
      get: 'This background app does not download models.',
    } satisfies Record<ListKind, string>,
    noMatch: 'Nothing matches.',
    more: (files: number) => `And ${files} more: search to find them.`,
    notLookedAt: (notice: string) => `Not looked at: ${notice}`,
    footage: 'real footage',
    practice: 'practice',
    remove: 'Remove',
    folders: 'Folders that are looked into',
    folder: (title: string, models: number) => `${title}: ${count(models, 'file', 'files')}`,
    noFolders: 'No folder of another program was found.',
    addFolder: 'Other folders are added on the machine of the background app, not from here.',
    experts: 'For experts',
    addCommand: typedCommand('models folders add FOLDER'),
    removeTitle: 'Remove this model?',
    removeText: (title: string) =>
      `${title} is taken out of the list. A model that TokenFlow has downloaded is deleted from the disk; others stay where they are.`,
    removeConfirm: 'Remove',
  },

  download: {
    free: (size: string) => `${size} free on the disk`,
    get: 'Download',
    goOn: 'Go on',
    tooLarge: 'not enough space',
    licence: (name: string) => `Licence: ${name}`,
    here: 'here',
    pause: 'Pause',
    resume: 'Resume',
    cancel: 'Cancel',
    retry: 'Try again',
    states: {
      waiting: 'Waits for another download',
      running: 'Downloading',
      paused: 'Paused',
      failed: 'Stopped',
    } satisfies Record<DownloadState, string>,
    amount: (done: string, total: string) => `${done} of ${total}`,
    rate: (perSecond: string) => `${perSecond}/s`,
    left: (duration: string) => `${duration} left`,
    groups: { checkpoint: 'Models for real footage', lora: 'LoRAs' } satisfies Record<OfferKind, string>,
    problems: {
      'connection-lost': 'The model cannot be fetched. Are you offline? What has come is kept.',
      'disk-full': 'There is not enough space on the disk. Free some, then try again.',
      'output-unwritable': 'The folder of models cannot be written to.',
      'transfer-damaged': 'A file was damaged on its way, and is not used. Try again.',
      'download-refused': 'The network sends the download to a strange address. It was not followed.',
      'model-gated': 'Its authors give it to registered accounts only. Choose another model.',
      'model-missing': 'It is not there any more at the place that TokenFlow knows.',
      'licence-not-accepted': 'Its licence has changed. Cancel, and download it again.',
    } as Readonly<Partial<Record<ProblemCode, string>>>,
    tryingAgain: 'The connection was cut; trying again.',
  },

  licence: {
    heading: 'Licence',
    title: (model: string) => `Licence of ${model}`,
    reading: 'Fetching the licence...',
    text: (name: string) => `The authors of this model give it under ${name}. To download it, accept these terms.`,
    onlyAddress: (url: string) => `Read it at ${url}`,
    source: (url: string) => `Also at ${url}`,
    accept: 'Accept and download',
    decline: 'Not now',
  },

  /** In units of 1000, as disks are sold. */
  fileSize: (bytes: number) => {
    if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
    return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} KB`;
  },

  loras: {
    title: 'LoRA',
    add: 'Add a LoRA',
    strength: (title: string) => `Strength of ${title}`,
    remove: (title: string) => `Remove ${title}`,
    madeFor: (family: string) => `for ${family}`,
    gone: 'The background app does not have it any more.',
  },

  apply: {
    apply: 'Apply',
    applySeveral: (clips: number) => `Apply to ${clips} clips`,
    applyVersion: 'Apply as a new version',
    preview: 'Preview',
    previewAnother: 'Preview another',
    previewHint: 'Edits the reference frames only, first: a fraction of the time.',
    continues: 'Apply goes on from the preview: same seed.',
    blocks: {
      'not-connected': 'Waiting for TokenFlow (the background app).',
      'no-model': 'No model is installed.',
      'no-clip': 'Choose a clip first.',
      'no-prompt': 'Say what it should become.',
      'no-region': 'Draw or name what may change, or choose the whole picture.',
      'clip-unusable': 'This clip cannot be edited.',
      'too-large': 'Too much for this machine.',
    } satisfies Record<ApplyBlock, string>,
    estimating: 'Estimating...',
    about: (duration: string) => `About ${duration}`,
    previewTakes: (duration: string) => `preview ${duration}`,
    guess: (duration: string) => `About ${duration}, going by earlier edits`,
    unknown: 'How long it takes will be known after the first edit.',
    memory: (gigabytes: string) => `${gigabytes} GB of memory`,
  },

  previewStrip: {
    title: 'Preview',
    keyframes: (frames: number) => count(frames, 'reference frame', 'reference frames'),
    current: 'Apply makes this edit of every frame, in full quality.',
    outdated: 'Out of date',
    outdatedText: 'Settings or clip have changed since. Preview again, or apply without.',
    original: 'Original',
    edit: 'Preview',
    dismiss: 'Dismiss',
    open: (at: string) => `Compare the reference frame at ${at}`,
    missing: 'not fetched',
  },

  tasks: {
    title: 'Edits on their way',
    finished: 'Finished',
    clearFinished: 'Clear',
    save: 'Download',
    tellMe: 'Tell me when it is done',
    soFar: 'What the edit looks like so far',
    pausing: 'Pausing...',
    startingEngine: 'Starting the engine...',
    preview: 'Preview',
    exporting: 'Exporting the clip',
    sending: 'Sending the clip',
    queued: 'Waiting',
    queuedBehind: (jobs: number) => `Waiting behind ${count(jobs, 'edit', 'edits')}`,
    stages: {
      load: 'Loading the model',
      decode: 'Reading frames',
      invert: 'Analysing the clip',
      edit: 'Editing',
      encode: 'Writing the video',
    } satisfies Record<EditStage, string>,
    paused: 'Paused',
    fetching: 'Fetching the result',
    placing: { premiere: 'Placing it on the timeline', browser: 'Finishing' },
    done: 'Done',
    canceled: 'Canceled',
    canceling: 'Canceling...',
    step: (step: number, steps: number) => `${step} of ${steps}`,
    left: (duration: string) => `${duration} left`,
    cancel: 'Cancel',
    pause: 'Pause',
    resume: 'Resume',
    retry: 'Try again',
    placeAnyway: 'Place at the old spot',
    pickPreset: 'Choose a preset',
    dismiss: 'Dismiss',
    compare: 'Compare',
    details: 'Copy details',
  },

  live: {
    working: (prompt: string, stage: string, percent: number) => `${prompt}: ${stage}, ${percent} percent`,
    done: (prompt: string) => `Done: ${prompt}`,
    failed: (prompt: string, reason: string) => `Failed: ${prompt}. ${reason}`,
  },

  compare: {
    empty: 'When an edit is done, compare it here with the original.',
    loading: 'Fetching frames...',
    modesLabel: 'How to compare',
    preparing: 'Preparing the video...',
    noVideo:
      'This browser cannot play H.264 video: pictures are shown one after the other, slower where they come late.',
    loop: 'Loop',
    larger: 'Larger',
    smaller: 'Smaller',
    whole: 'Show the whole picture',
    modes: {
      wipe: 'Wipe',
      side: 'Side by side',
      flip: 'Flip',
      difference: 'Difference',
      flicker: 'Flicker',
    } satisfies Record<CompareMode, string>,
    original: 'Original',
    edit: 'Edit',
    play: 'Play',
    pause: 'Pause',
    scrubber: 'Frame',
    divider: 'Divider between original and edit',
    frame: (frame: number, frames: number) => `${frame} / ${frames}`,
    keyframe: (frame: number, frames: number) => `Reference frame ${frame} / ${frames}`,
    keys: 'Space plays, arrows step, \\ flips, + and - zoom',
    differenceNote: 'Bright where the edit differs from the original.',
    flickerNote: 'Warm where the edit changes from the frame before and the original does not.',
    onTimeline: { hide: 'Hide on timeline', show: 'Show on timeline' },
    sourceMonitor: 'Original in Source monitor',
    missing: 'This frame could not be fetched.',
  },

  versions: {
    empty: 'Edits of this project are listed here, with every version.',
    emptyBrowser: 'Your edits are listed here, with every version.',
    version: (version: number) => `Version ${version}`,
    thumbnail: (version: number) => `A frame of version ${version}`,
    placed: { premiere: 'on the timeline', browser: 'current' },
    seed: (seed: number) => `seed ${seed}`,
    use: { premiere: 'Bring back', browser: 'Make current' },
    storage: (results: string, clips: string, cache: string, free: string) =>
      `TokenFlow keeps ${results} of results, ${clips} of clips, and ${cache} that it can make again. ${free} are free.`,
    drag: 'Drag it onto the timeline or into the project',
    compare: 'Compare',
    rerun: 'Re-run',
    recipe: 'What made this?',
    save: 'Download',
    forget: 'Delete',
    revert: 'Revert',
    revertNote: 'Takes the edit off the timeline. Versions stay here.',
  },

  recipe: {
    title: 'What made this?',
    prompt: 'Prompt',
    source: 'In the clip',
    negative: 'Avoided',
    model: 'Model',
    loras: 'LoRA',
    strength: 'Structure to prompt',
    technique: 'Technique',
    pipeline: 'Quality',
    steps: 'Steps',
    guideBy: 'Guide by',
    guidance: 'Guidance',
    keyframes: 'Reference frame every',
    seed: 'Seed',
    made: 'Made',
    auto: "the model's own",
    frames: (frames: number) => count(frames, 'frame', 'frames'),
    load: 'Use these settings',
    copy: 'Copy',
  },

  attention: {
    working: (percent: number) => `${percent} % - TokenFlow`,
    doneTitle: 'Done - TokenFlow',
    failedTitle: 'Failed - TokenFlow',
    done: 'Your edit is done',
    failed: 'Your edit has failed',
  },

  overlay: {
    close: 'Close',
    cancel: 'Cancel',
    diagnostics: 'Diagnostics',
    copyDiagnostics: 'Copy the list',
    checking: 'Asking the background app to examine itself...',
    statuses: { ok: 'ok', problem: 'problem', unknown: 'unknown' },
    about: 'About',
    aboutText:
      'Text-driven video editing that stays coherent from frame to frame, on your own machine. Open source under Apache-2.0.',
    panelVersion: (version: string) => `Panel ${version}`,
    serverVersion: (version: string) => `Background app ${version}`,
    forgetTitle: 'Delete this version?',
    forgetText: 'Its file is deleted, here and in the background app. This cannot be undone.',
    forgetConfirm: 'Delete',
    unpairTitle: 'Pair again?',
    unpairText: 'The panel forgets its pairing and asks for a new code.',
    unpairConfirm: 'Pair again',
    menu: 'Help',
  },

  toasts: {
    'edit-done': 'The edit is done: compare it.',
    copied: 'Copied.',
    'copy-refused': 'Copying was refused. Select the text and copy it by hand.',
    'presets-imported': 'Presets imported.',
    'presets-unreadable': 'This is no file of presets.',
    'preset-saved': 'Preset saved.',
    'recipe-loaded': 'Settings loaded. Change what you like and apply.',
    'recipe-loaded-select': 'Settings loaded. Select the clip on the timeline, then apply.',
    'version-shown': 'Version brought back.',
    reverted: 'Reverted. The original shows.',
    saved: 'Saved.',
    'model-ready': 'The model is ready.',
    'model-removed': 'The model was removed.',
    'preview-applied': 'Going on from the preview: same settings, same seed.',
    failed: '',
  } satisfies Record<ToastText, string>,

  problems: problemTexts as Readonly<Record<ProblemCode, ProblemText>>,
  copyDetails: 'Copy details',

  /** A length of time, as a person says it. */
  duration(seconds: number): string {
    if (seconds < 1) return 'a second';
    if (seconds < 90) return count(Math.round(seconds), 'second', 'seconds');
    const minutes = Math.round(seconds / 60);
    if (minutes < 90) return count(minutes, 'minute', 'minutes');
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  },
  /** A position in a clip: `0:07.25`. */
  position(seconds: number): string {
    const hundredths = Math.round(seconds * 100);
    const rest = String(hundredths % 6000).padStart(4, '0');
    return `${Math.floor(hundredths / 6000)}:${rest.slice(0, 2)}.${rest.slice(2)}`;
  },
};

export type Texts = typeof english;

const languages: Readonly<Record<string, Texts>> = { en: english };

/** The texts of a language as `de` or `pt-BR`; English where there are none. */
export function textsFor(language: string): Texts {
  return languages[language] ?? languages[language.split('-')[0] ?? ''] ?? english;
}
