// Edits on their way, and what is said of them elsewhere.

import type { ToastText } from '../../state/panel-state.ts';
import type { EditStage } from '../../../../protocol/progress.ts';
import { count } from './count.ts';

export const taskTexts = {
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

  attention: {
    working: (percent: number) => `${percent} % - TokenFlow`,
    doneTitle: 'Done - TokenFlow',
    failedTitle: 'Failed - TokenFlow',
    done: 'Your edit is done',
    failed: 'Your edit has failed',
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
};
